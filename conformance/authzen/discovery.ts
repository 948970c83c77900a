import { type JSONWebKeySet, createLocalJWKSet, decodeJwt, jwtVerify } from 'jose';
import { type Case, check, checkSame, objectOf } from './case.ts';

const endpoints = [
  'access_evaluation_endpoint',
  'access_evaluations_endpoint',
  'search_subject_endpoint',
  'search_resource_endpoint',
  'search_action_endpoint',
];

/** The metadata document. */
export const discoveryCases: Case[] = [
  {
    id: 'c-6',
    level: 'Discovery',
    title: 'the document names this decision point and its endpoints, over https',
    async run(pdp) {
      const metadata = objectOf(await pdp.metadata());
      checkSame(metadata['policy_decision_point'], pdp.url, 'policy_decision_point');
      check(pdp.url.startsWith('https:'), 'policy_decision_point is not https');
      check(metadata['access_evaluation_endpoint'] !== undefined, 'access_evaluation_endpoint is missing');
      for (const member of endpoints) {
        const url = metadata[member];
        if (url === undefined) continue;
        check(typeof url === 'string' && URL.canParse(url), `${member} is not a URL`);
        checkSame(new URL(url).protocol, 'https:', `the scheme of ${member}`);
      }
    },
  },
  {
    id: 'c-6',
    level: 'Discovery',
    title: 'capabilities are texts, and signed metadata is signed',
    async run(pdp) {
      const { capabilities, signed_metadata: signed } = objectOf(await pdp.metadata());
      check(
        capabilities === undefined ||
          (Array.isArray(capabilities) && capabilities.every((one) => typeof one === 'string')),
        'capabilities is not a list of texts',
      );
      if (signed === undefined) return;
      check(typeof signed === 'string', 'signed_metadata is not a text');
      const { iss } = decodeJwt(signed);
      check(typeof iss === 'string', 'signed_metadata has no iss');
      const keys = objectOf(await pdp.keysOf(iss)) as unknown as JSONWebKeySet;
      await jwtVerify(signed, createLocalJWKSet(keys), { issuer: iss });
    },
  },
];
