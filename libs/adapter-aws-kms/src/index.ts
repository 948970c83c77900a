/** Data keys wrapped by AWS KMS: the key-encryption key never leaves it, and its log names what was unwrapped. */
export { AwsKmsKeyEncryptionKey, type AwsKmsOptions } from './aws-kms-key-encryption-key.js';
export { type AwsCredentials, signRequest, type SignedRequest } from './sign-request.js';
