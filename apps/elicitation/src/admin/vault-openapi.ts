import {
  connectionHealthListSchema,
  connectionHealthSchema,
  endedConnectionListSchema,
  endedConnectionSchema,
  offBoardRequestSchema,
  plantDecoyRequestSchema,
  plantedDecoySchema,
  rewrapRunSchema,
} from '@behalf/contracts';
import { type ApiOperation, buildOpenApi } from '@behalf/service-kit';
import { adminScope } from './admin-authorization.js';

/** The schemas that the edge parses with and answers by. */
const schemas = {
  ConnectionHealth: connectionHealthSchema,
  ConnectionHealthList: connectionHealthListSchema,
  EndedConnection: endedConnectionSchema,
  EndedConnectionList: endedConnectionListSchema,
  OffBoardPerson: offBoardRequestSchema,
  PlantDecoy: plantDecoyRequestSchema,
  PlantedDecoy: plantedDecoySchema,
  RewrapRun: rewrapRunSchema,
} as const;

const textQuery = (name: string) => ({ name, in: 'query', schema: { type: 'string' } });
const operations: ApiOperation<keyof typeof schemas>[] = [
  {
    method: 'get',
    path: '/connections',
    id: 'listConnections',
    summary: 'How connections are, page by page',
    answer: 'ConnectionHealthList',
    query: [
      ...['person', 'provider', 'status', 'after'].map(textQuery),
      { name: 'limit', in: 'query', schema: { type: 'integer', minimum: 1, maximum: 500, default: 100 } },
    ],
    refusals: [400],
  },
  {
    method: 'post',
    path: '/connections/{connection}/disconnect',
    id: 'disconnect',
    summary: 'Ends a connection, here and at its provider',
    answer: 'EndedConnection',
    refusals: [404],
  },
  {
    method: 'post',
    path: '/people/off-board',
    id: 'offBoardPerson',
    summary: 'Ends every connection of a person who left, and what waits for them',
    body: 'OffBoardPerson',
    answer: 'EndedConnectionList',
    refusals: [400],
  },
  {
    method: 'post',
    path: '/providers/{provider}/end',
    id: 'endProvider',
    summary: 'Ends every connection to a provider that has ended its grants, without asking it',
    answer: 'EndedConnectionList',
    refusals: [404],
  },
  {
    method: 'post',
    path: '/decoys',
    id: 'plantDecoy',
    summary: 'Puts in a connection that only a thief opens, and raises an alarm then',
    body: 'PlantDecoy',
    answer: 'PlantedDecoy',
    status: 201,
    refusals: [400, 409],
  },
  {
    method: 'post',
    path: '/rewrap',
    id: 'rewrap',
    summary:
      'Moves a batch of data keys to the current key-encryption key; to be repeated until it has finished',
    answer: 'RewrapRun',
    refusals: [],
  },
];

const inPath = (name: string) => ({ name, in: 'path', required: true, schema: { type: 'string' } });

/** The vault's administration in the words of OpenAPI 3.1, made from the schemas that judge it. */
export function vaultOpenApi(at: { url: string; resource: string; tokenUrl: string }): object {
  return buildOpenApi({
    title: 'Behalf vault administration',
    ...at,
    scope: adminScope,
    schemas,
    operations,
    parameters: { connection: inPath('connection'), provider: inPath('provider') },
  });
}
