/** How a provider tells us that somebody ended what they had agreed to there. */
export interface ProviderWebhook {
  readonly secret: string;
  readonly signature: {
    /** Of the header that holds it, in lower case, as all header names here. */
    readonly header: string;
    readonly algorithm: 'sha256' | 'sha512';
    readonly encoding: 'hex' | 'base64';
    /** What stands before it in the header. */
    readonly prefix: string;
    /** What stands before the body in what is signed; `{timestamp}` is the value of `timestampHeader`. */
    readonly signedPrefix: string;
    /** Seconds since the epoch. Undefined: the provider signs no time. */
    readonly timestampHeader: string | undefined;
  };
  /** Names one delivery, so that it counts once. */
  readonly deliveryHeader: string | undefined;
  /** Which events say that a grant is over: every header and every member of the body has to be as it says. */
  readonly revoked: {
    readonly headers: Readonly<Record<string, string>>;
    readonly body: Readonly<Record<string, string>>;
  };
  /** The member that holds the id of the account, or several: `sender.id`. */
  readonly account: string;
  /** The member that is sent back when the provider asks whether somebody is there. */
  readonly challenge: string | undefined;
}
