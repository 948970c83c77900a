/**
 * KEYS[1] says what this server remembers: its run id, a name for this memory, and since when. Another run id means
 * that the server was restarted, or that a replica took its place; no key, that it was emptied. Either way what it knew
 * may be gone or old, and a new memory begins at this moment, by the later one of two clocks.
 *
 * ARGV[1] is a name for a new memory, ARGV[2] our time in milliseconds.
 */
const memory = `
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
local known = redis.call('HMGET', KEYS[1], 'run', 'name', 'since')
local name, since = known[2], tonumber(known[3])
if known[1] ~= run then
  local time = redis.call('TIME')
  name, since = ARGV[1], math.max(tonumber(ARGV[2]), tonumber(time[1]) * 1000 + 1000)
  redis.call('HSET', KEYS[1], 'run', run, 'name', name, 'since', string.format('%d', since))
end
`;

/** Each is atomic: Redis runs one script at a time. */
export const scripts = {
  /** KEYS memory. Says that nothing was ever made before: for a deployment that is new. */
  behalfBegin: {
    numberOfKeys: 1,
    lua: `${memory} redis.call('HSET', KEYS[1], 'since', '0')`,
  },
  /** KEYS memory, value. ARGV …, value, lifetime in milliseconds. */
  behalfPut: {
    numberOfKeys: 2,
    lua: `${memory} redis.call('SET', KEYS[2], name .. ':' .. ARGV[3], 'PX', ARGV[4])`,
  },
  /** KEYS memory, value. A value of an earlier memory may have been taken already. */
  behalfTake: {
    numberOfKeys: 2,
    lua: `${memory}
local kept = redis.call('GETDEL', KEYS[2])
if kept and string.sub(kept, 1, #name + 1) == name .. ':' then return string.sub(kept, #name + 2) end
return false`,
  },
  /** KEYS memory, marker. ARGV …, earliest time of making, lifetime in milliseconds. A marker counts, however old. */
  behalfClaim: {
    numberOfKeys: 2,
    lua: `${memory}
if tonumber(ARGV[3]) < since then return 0 end
if redis.call('SET', KEYS[2], name, 'NX', 'PX', ARGV[4]) then return 1 end
return 0`,
  },
  /** KEYS counter. ARGV attempts, window in milliseconds. Answers how long to wait, -1 for not at all. */
  behalfAttempt: {
    numberOfKeys: 1,
    lua: `
local count = tonumber(redis.call('GET', KEYS[1]) or '0')
if count >= tonumber(ARGV[1]) then return math.max(0, redis.call('PTTL', KEYS[1])) end
if count == 0 and redis.call('EXISTS', KEYS[1]) == 0 then redis.call('SET', KEYS[1], '1', 'PX', ARGV[2])
else redis.call('INCR', KEYS[1]) end
return -1`,
  },
  /** KEYS counter. */
  behalfForgive: {
    numberOfKeys: 1,
    lua: `if tonumber(redis.call('GET', KEYS[1]) or '0') > 0 then redis.call('DECR', KEYS[1]) end`,
  },
  /** KEYS lease, fence. ARGV lifetime, memory of the fence, both in milliseconds. Answers the fence as text. */
  behalfAcquire: {
    numberOfKeys: 2,
    lua: `
if redis.call('EXISTS', KEYS[1]) == 1 then return false end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local fence = string.format('%.0f', math.max(now, tonumber(redis.call('GET', KEYS[2]) or '0') + 1))
redis.call('SET', KEYS[1], fence, 'PX', ARGV[1])
redis.call('SET', KEYS[2], fence, 'PX', ARGV[2])
return fence`,
  },
  /** KEYS lease. ARGV fence, lifetime in milliseconds. */
  behalfRenew: {
    numberOfKeys: 1,
    lua: `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])`,
  },
  /** KEYS lease. ARGV fence. */
  behalfRelease: {
    numberOfKeys: 1,
    lua: `if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end`,
  },
  /** KEYS entry. */
  behalfGet: { numberOfKeys: 1, lua: `return redis.call('GET', KEYS[1])` },
  /** KEYS entry. ARGV value, lifetime in milliseconds. */
  behalfSet: { numberOfKeys: 1, lua: `redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])` },
  /** KEYS entry. */
  behalfDelete: { numberOfKeys: 1, lua: `redis.call('DEL', KEYS[1])` },
} as const;
