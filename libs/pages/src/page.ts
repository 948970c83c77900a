/** A whole page with the headers that it must be sent with. */
export interface Page {
  html: string;
  headers: Readonly<Record<string, string>>;
}
