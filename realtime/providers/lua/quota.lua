-- The requests of an account in the last minute, for all nodes. The rules are those of realtime/core/quota.py.
-- KEYS: places, refusals, nodes (sorted sets by time in ms), and a hash: since when nothing was forgotten, and how many
--   nodes each node knows. ARGV: operation, node, our last time that it has heard (0: none on this connection), nodes
--   that it knows, limit, then: greet PROCESS (of Redis, or empty) | take ID LONGEST_WAIT_MS | back ID ... |
--   write ID AGE_MS ... | refused | look | leave
-- Returns: the wait in ms (only of take), requests left now, nodes, the limit as it is now, our time, the oldest time
--   that a node has heard, since when nothing was forgotten.
local WINDOW, HOLD, LOWERED, SETTLE, SILENT, KNOWN = 61000, 30000, 60000, 10000, 3000, 120000
local places, refusals, nodes, known_by = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local operation, node, heard, limit = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[5])
local time = redis.call('TIME')
local now, wait = time[1] * 1000 + math.floor(time[2] / 1000), 0
local function forget(name)
  redis.call('ZREM', nodes, name)
  redis.call('HDEL', known_by, 'node ' .. name)
end
local jumped = redis.call('ZCOUNT', nodes, '(' .. now, '+inf') > 0 -- the clock went back
local over = redis.call('ZRANGEBYSCORE', nodes, '-inf', jumped and '+inf' or now - KNOWN)
for _, name in ipairs(over) do forget(name) end
for key, range in pairs({[places] = {WINDOW, WINDOW + HOLD}, [refusals] = {LOWERED, 0}}) do
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now - range[1])
  redis.call('ZREMRANGEBYSCORE', key, '(' .. now + range[2], '+inf')
end
-- Where nobody is known, and in another process, places may be missing
local process = operation == 'greet' and ARGV[6] ~= '' and ARGV[6]
if redis.call('ZCARD', nodes) == 0 or process and process ~= redis.call('HGET', known_by, 'process') then
  redis.call('HSET', known_by, 'since', now)
end
if process then redis.call('HSET', known_by, 'process', process) end
if heard > 0 and heard <= now then
  redis.call('ZADD', nodes, heard, node)
else
  redis.call('ZADD', nodes, 'NX', now - SILENT, node)
end
redis.call('HSET', known_by, 'node ' .. node, ARGV[4])
if operation == 'leave' then forget(node) end
if operation == 'refused' and redis.call('ZCOUNT', refusals, '(' .. now - SETTLE, '+inf') == 0 then
  redis.call('ZADD', refusals, now, now)
end
local aside = 0 -- the shares of nodes that are silent
for _, name in ipairs(redis.call('ZRANGEBYSCORE', nodes, '-inf', now - SILENT)) do
  aside = aside + math.floor(limit * 0.9 / redis.call('HGET', known_by, 'node ' .. name))
end
limit = math.max(1, math.floor(limit * 0.8 ^ redis.call('ZCARD', refusals)) - aside)
if operation == 'take' then
  redis.call('ZREM', places, ARGV[6])
  local surplus = redis.call('ZCARD', places) - limit
  if surplus >= 0 then -- see _free_at
    local last = tonumber(redis.call('ZRANGE', places, surplus, surplus, 'WITHSCORES')[2])
    wait = WINDOW + (last <= now and last or math.max(now, last - HOLD)) - now
  end
  if wait <= tonumber(ARGV[7]) and wait < WINDOW then
    redis.call('ZADD', places, now + wait + HOLD, ARGV[6])
  end
end
for i = 6, operation == 'back' and #ARGV or 0 do redis.call('ZREM', places, ARGV[i]) end
for i = 6, operation == 'write' and #ARGV or 0, 2 do redis.call('ZADD', places, now - ARGV[i + 1], ARGV[i]) end
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, KNOWN) end
local oldest = redis.call('ZRANGE', nodes, 0, 0, 'WITHSCORES')[2] or now
local left, since = math.max(0, limit - redis.call('ZCARD', places)), redis.call('HGET', known_by, 'since')
return {wait, left, redis.call('ZCARD', nodes), limit, now, tonumber(oldest), tonumber(since)}
