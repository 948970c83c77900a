import { oauthErrorCodes } from '@behalf/oauth';
import { z } from 'zod';

/** One operation of an interface for administrators, by the names of the schemas that judge it. */
export interface ApiOperation<SchemaName extends string> {
  method: 'get' | 'post' | 'patch' | 'delete';
  path: string;
  id: string;
  summary: string;
  body?: SchemaName;
  isBodyOptional?: boolean;
  status?: number;
  answer: SchemaName;
  /** Whether `If-Match` must come, may come, or means nothing. */
  ifMatch?: 'required' | 'optional';
  query?: readonly object[];
  refusals: number[];
}

export interface OpenApiOptions<SchemaName extends string> {
  title: string;
  /** What the paths are below. */
  url: string;
  /** Whom tokens are for. */
  resource: string;
  tokenUrl: string;
  scope: string;
  schemas: Readonly<Record<SchemaName, z.ZodType>>;
  operations: readonly ApiOperation<SchemaName>[];
  /** What stands in braces in paths, by name. */
  parameters: Readonly<Record<string, object>>;
}

const errorSchema = z.object({
  error: z.enum(Object.keys(oauthErrorCodes) as [string, ...string[]]),
  error_description: z.string(),
});

/** Describes an interface in OpenAPI 3.1, from the schemas that its edges parse with and answer by. */
export function buildOpenApi<SchemaName extends string>(options: OpenApiOptions<SchemaName>): object {
  const { title, url, resource, tokenUrl, scope, schemas, operations, parameters } = options;
  const all: Record<string, z.ZodType> = { ...schemas, Error: errorSchema };
  return {
    openapi: '3.1.1',
    info: { title, version: '1' },
    servers: [{ url }],
    security: [{ admin: [scope] }],
    paths: Object.fromEntries(
      [...new Set(operations.map(({ path }) => path))].map((path) => [
        path,
        Object.fromEntries(
          operations
            .filter((one) => one.path === path)
            .map((one) => [one.method, describeOperation(one, parameters)]),
        ),
      ]),
    ),
    components: {
      schemas: Object.fromEntries(
        Object.entries(all).map(([name, schema]) => [name, toJsonSchema(name, schema)]),
      ),
      securitySchemes: {
        admin: {
          type: 'oauth2',
          description: `A token for the resource ${resource}`,
          flows: { clientCredentials: { tokenUrl, scopes: { [scope]: 'Administer' } } },
        },
      },
    },
  };
}

function toJsonSchema(name: string, schema: z.ZodType): object {
  const io = /^(?:Add|Change|Create|Narrow|OffBoard|Plant|Update)/.test(name) ? 'input' : 'output';
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { target: 'draft-2020-12', io });
  return rest;
}

function describeOperation(
  operation: ApiOperation<string>,
  parameters: Readonly<Record<string, object>>,
): object {
  const {
    id,
    summary,
    path,
    body,
    isBodyOptional = false,
    status = 200,
    answer,
    ifMatch,
    query = [],
    refusals,
  } = operation;
  const content = (name: string) => ({
    'application/json': { schema: { $ref: `#/components/schemas/${name}` } },
  });
  const named = Object.keys(parameters).filter((name) => path.includes(`{${name}}`));
  return {
    operationId: id,
    summary,
    parameters: [
      ...named.map((name) => parameters[name]),
      ...query,
      ...(ifMatch
        ? [{ name: 'If-Match', in: 'header', required: ifMatch === 'required', schema: { type: 'string' } }]
        : []),
    ],
    ...(body && { requestBody: { required: !isBodyOptional, content: content(body) } }),
    responses: {
      [status]: {
        description: 'Done',
        // What has a version to match.
        ...((answer === 'Agent' || answer === 'DelegationGrant') && {
          headers: { ETag: { schema: { type: 'string' } } },
        }),
        content: content(answer),
      },
      ...Object.fromEntries(
        [401, 403, ...refusals].map((code) => [code, { description: 'Refused', content: content('Error') }]),
      ),
    },
  };
}
