// The floor: a bare node:http server that does an exchange's signature work, one ES256 verify and one ES256 sign, and nothing else.
// By jose, as most servers do; with the argument `ours` by the code that Behalf has for it.
import { KeyObject } from 'node:crypto';
import { createServer } from 'node:http';
import { SignJWT, generateKeyPair, jwtVerify } from 'jose';
import { signJwt, verifyJwt } from '../dist/libs/jwt/src/index.js';

const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
const header = { alg: 'ES256', typ: 'at+jwt', kid: 'floor' };
const native = KeyObject.from(privateKey);
const byJose = {
  sign: (claims) => new SignJWT(claims).setProtectedHeader(header).sign(privateKey),
  verify: (token) => jwtVerify(token, publicKey, { typ: 'at+jwt' }),
};
const byOurs = {
  sign: (claims) => signJwt(claims, header, native),
  verify: (token) =>
    verifyJwt(token, () => publicKey, { typ: 'at+jwt', algorithms: ['ES256'], currentDate: new Date() }),
};
const { sign, verify } = process.argv[2] === 'ours' ? byOurs : byJose;
const claims = {
  iss: 'https://floor.example',
  sub: 'alice',
  aud: 'https://floor.example/mcp',
  client_id: 'floor',
  scope: 'mcp:tools',
  jti: 'x',
};
const nowSeconds = () => Math.floor(Date.now() / 1000);

const server = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const form = new URLSearchParams(Buffer.concat(chunks).toString());
  const { payload } = await verify(form.get('subject_token'));
  const token = await sign({ ...payload, act: { sub: 'floor' }, iat: nowSeconds(), exp: nowSeconds() + 300 });
  response
    .setHeader('content-type', 'application/json')
    .end(JSON.stringify({ access_token: token, expires_in: 300 }));
});
server.listen(0, '127.0.0.1', async () => {
  const subjectToken = await sign({ ...claims, iat: nowSeconds(), exp: nowSeconds() + 3600 });
  process.send({ url: `http://127.0.0.1:${server.address().port}/token`, subjectToken });
});
