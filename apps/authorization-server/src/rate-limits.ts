/** What is counted, for all replicas together, and how much of it there may be. */
export const rateLimits = {
  password: { attempts: 10, windowSeconds: 60 },
  refreshOfGrant: { attempts: 60, windowSeconds: 60 },
  /** Documents are cached; who asks for more than this is not a client that signs people in. */
  documentsOfHost: { attempts: 120, windowSeconds: 60 },
  documents: { attempts: 600, windowSeconds: 60 },
} as const;

/** The names they are counted under. */
export const ratePurposes = {
  password: 'password',
  registration: 'registration',
  refreshOfGrant: 'refresh',
  documentsOfHost: 'documents-of-host',
  documents: 'documents',
} as const;
