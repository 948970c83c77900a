import { UnmappableRequest } from '@behalf/policy-dialects';
import { singleHeader } from './single-header.js';

const rawHeaders = [
  'Mcp-Name',
  'echo',
  'Authorization',
  'Bearer a',
  'X',
  'authorization',
  'authorization',
  'Bearer b',
];

it('reads a header that came once, and refuses one that came twice', () => {
  expect(singleHeader({ rawHeaders }, 'mcp-name')).toBe('echo');
  expect(singleHeader({ rawHeaders }, 'x')).toBe('authorization');
  expect(singleHeader({ rawHeaders }, 'mcp-method')).toBeUndefined();
  expect(() => singleHeader({ rawHeaders }, 'authorization')).toThrow(UnmappableRequest);
});
