import type { CedarSet } from './cedar-set.js';
import type { Datetime } from './datetime.js';
import type { Decimal } from './decimal.js';
import type { Duration } from './duration.js';
import type { EntityUid } from './entity-uid.js';
import type { IpAddress } from './ip-address.js';
import type { Long } from './long.js';

export type CedarRecord = ReadonlyMap<string, Value>;
export type ExtensionValue = Decimal | IpAddress | Datetime | Duration;
/** What a Cedar expression evaluates to. Values never change. */
export type Value = boolean | string | Long | EntityUid | CedarSet | CedarRecord | ExtensionValue;
