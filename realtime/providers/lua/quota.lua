-- The requests of an account in the last minute, for all nodes. The rules are those of realtime/core/quota.py.
-- KEYS: places, refusals, nodes (sorted sets by time in ms), and a hash: since when nothing was forgotten, how many
--   places there are, and how many nodes each node knows. ARGV: operation, node, our last time that it has heard (0:
--   none, or it has not told all its places yet), nodes that it knows, limit, then: greet PROCESS (of Redis, or "") |
--   take ID LONGEST_WAIT_MS | back ID ... | write ID AGE_MS ... | refused | look | leave
-- A node is called "TAG NAME": the tag has 8 characters, is new at each start, and is how its ids begin.
-- Returns: the wait in ms (only of take), requests left now, nodes, the limit as it is now, our time, the oldest time
--   that a node has heard, since when nothing was forgotten.
local WINDOW, HOLD, LOWERED, SETTLE, SILENT, KNOWN = 61000, 30000, 60000, 10000, 3000, 120000
local TAG, LOOK_AT = 8, 500
local places, refusals, nodes, known_by = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local operation, node, heard, limit = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[5])
local time = redis.call('TIME')
local now, wait = time[1] * 1000 + math.floor(time[2] / 1000), 0
local function forget(name)
  redis.call('ZREM', nodes, name)
  redis.call('HDEL', known_by, 'node ' .. name)
end
-- Where nobody is known, in another process, and where a part was lost, places may be missing
local lost = redis.call('HGET', known_by, 'places') ~= tostring(redis.call('ZCARD', places))
local jumped = redis.call('ZCOUNT', nodes, '(' .. now, '+inf') > 0 -- the clock went back
local over = redis.call('ZRANGEBYSCORE', nodes, '-inf', jumped and '+inf' or now - KNOWN)
for _, name in ipairs(over) do forget(name) end
for key, range in pairs({[places] = {WINDOW, WINDOW + HOLD}, [refusals] = {LOWERED, 0}}) do
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now - range[1])
  redis.call('ZREMRANGEBYSCORE', key, '(' .. now + range[2], '+inf')
end
local process = operation == 'greet' and ARGV[6] ~= '' and ARGV[6]
lost = lost or redis.call('ZCARD', nodes) == 0
if lost or process and process ~= redis.call('HGET', known_by, 'process') then
  redis.call('HSET', known_by, 'since', now)
end
if process then redis.call('HSET', known_by, 'process', process) end
if heard > 0 and heard <= now then
  redis.call('ZADD', nodes, heard, node)
elseif redis.call('ZADD', nodes, 'NX', now - SILENT, node) == 1 and operation == 'greet' then -- it was started again
  for _, name in ipairs(redis.call('ZRANGE', nodes, 0, -1)) do
    if name ~= node and name:sub(TAG + 1) == node:sub(TAG + 1) then forget(name) end
  end
end
redis.call('HSET', known_by, 'node ' .. node, ARGV[4])
if operation == 'leave' then forget(node) end
if operation == 'refused' and redis.call('ZCOUNT', refusals, '(' .. now - SETTLE, '+inf') == 0 then
  redis.call('ZADD', refusals, now, now)
end
local shares, aside = {}, 0 -- of nodes that are silent
for _, name in ipairs(redis.call('ZRANGEBYSCORE', nodes, '-inf', now - SILENT)) do
  local share = math.floor(limit * 0.9 / (redis.call('HGET', known_by, 'node ' .. name) or 1))
  if share > 0 then shares[name:sub(1, TAG)], aside = share, aside + share end
end
limit = math.max(1, math.floor(limit * 0.8 ^ redis.call('ZCARD', refusals)) - aside)
local function counted() -- how many places count, and a function for the time of one of them; see _counted
  local card = redis.call('ZCARD', places)
  if not next(shares) or card > LOOK_AT then
    return card, function(i) return redis.call('ZRANGE', places, i, i, 'WITHSCORES')[2] end
  end
  local all, rest, times = redis.call('ZRANGE', places, 0, -1, 'WITHSCORES'), {}, {}
  for tag, share in pairs(shares) do rest[tag] = share end
  for i = #all - 1, 1, -2 do -- the newest ones first
    local tag = all[i]:sub(1, TAG)
    if (rest[tag] or 0) > 0 then rest[tag] = rest[tag] - 1 else times[#times + 1] = all[i + 1] end
  end
  return #times, function(i) return times[#times - i] end
end
local number
if operation == 'take' then
  local had, time_of = redis.call('ZREM', places, ARGV[6]) == 1
  number, time_of = counted()
  if number >= limit then -- see _free_at
    local last = tonumber(time_of(number - limit))
    wait = WINDOW + (last <= now and last or math.max(now, last - HOLD)) - now
  end
  local given = wait <= tonumber(ARGV[7]) and wait < WINDOW
  if given or had then -- the question may have been on its way for long, and the request have left
    redis.call('ZADD', places, now + (given and wait or 0) + HOLD, ARGV[6])
    number = nil
  end
end
for i = 6, operation == 'back' and #ARGV or 0 do redis.call('ZREM', places, ARGV[i]) end
for i = 6, operation == 'write' and #ARGV or 0, 2 do redis.call('ZADD', places, now - ARGV[i + 1], ARGV[i]) end
redis.call('HSET', known_by, 'places', redis.call('ZCARD', places))
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, KNOWN) end
local oldest = redis.call('ZRANGE', nodes, 0, 0, 'WITHSCORES')[2] or now
local left, since = math.max(0, limit - (number or counted())), redis.call('HGET', known_by, 'since')
return {wait, left, redis.call('ZCARD', nodes), limit, now, tonumber(oldest), tonumber(since)}
