import { describeKeyEncryptionKey } from '@behalf/testing';
import { LocalKeyEncryptionKey } from './local-key-encryption-key.js';

describeKeyEncryptionKey('local', async () => ({
  key: new LocalKeyEncryptionKey(Buffer.alloc(32, 1)),
  other: new LocalKeyEncryptionKey(Buffer.alloc(32, 2)),
  close: async () => {},
}));
