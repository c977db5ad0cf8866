-- The requests of an account in the last minute, for all nodes. The rules are those of realtime/core/quota.py.
-- KEYS: places, refusals, nodes (sorted sets by time in ms). ARGV: operation, name of the node, limit, then
--   take ID LONGEST_WAIT_MS | back ID | write ID AGE_MS ID AGE_MS ... | refused | look | leave
-- Returns: the wait in ms (only of take), requests left now, nodes known, the limit as it is now.
local WINDOW, LOWERED, SETTLE, SILENT, KNOWN = 61000, 60000, 10000, 3000, 120000
local places, refusals, nodes = KEYS[1], KEYS[2], KEYS[3]
local operation, node, limit, id = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local time = redis.call('TIME')
local now, wait = time[1] * 1000 + math.floor(time[2] / 1000), 0
for key, age in pairs({[places] = WINDOW, [refusals] = LOWERED, [nodes] = KNOWN}) do
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now - age)
  redis.call('ZREMRANGEBYSCORE', key, '(' .. now + age, '+inf') -- the clock went back
end
redis.call('ZADD', nodes, now, node)
if operation == 'leave' then redis.call('ZREM', nodes, node) end
if operation == 'refused' and redis.call('ZCOUNT', refusals, '(' .. now - SETTLE, '+inf') == 0 then
  redis.call('ZADD', refusals, now, now)
end
local known = redis.call('ZCARD', nodes)
local silent = redis.call('ZCOUNT', nodes, '-inf', now - SILENT)
local aside = silent * math.floor(limit * 0.9 / math.max(1, known))
limit = math.max(1, math.floor(limit * 0.8 ^ redis.call('ZCARD', refusals)) - aside)
if operation == 'take' or operation == 'back' then redis.call('ZREM', places, id) end
if operation == 'take' then
  local count, at = redis.call('ZCARD', places), now
  local first = count < limit and {} or redis.call('ZRANGE', places, 0, count - limit, 'WITHSCORES')
  local last = count < limit and {} or redis.call('ZRANGE', places, limit - 1, count - 1, 'WITHSCORES')
  for i = 2, #first, 2 do -- all within one window: see _free_at
    local from, to = last[i] - WINDOW, first[i] + WINDOW
    if from < at and at < to and last[i] - first[i] < WINDOW then at = to end
  end
  wait = at - now
  if wait <= tonumber(ARGV[5]) then redis.call('ZADD', places, at, id) end
end
for i = 4, operation == 'write' and #ARGV or 0, 2 do redis.call('ZADD', places, now - ARGV[i + 1], ARGV[i]) end
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, KNOWN) end
return {wait, math.max(0, limit - redis.call('ZCARD', places)), known, limit}
