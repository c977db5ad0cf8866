-- The record of one session. KEYS: a hash of epoch, record, position. ARGV: operation, how long it is kept (ms), then
--   write EPOCH FIELD VALUE ... | read | claim EPOCH | end EPOCH
-- Returns: of write 0 (refused), 1 (written) or 2 (written, but there is no record); else epoch, record, position.
local key, operation, keep, mine = KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3] or 0)
local epoch = tonumber(redis.call('HGET', key, 'epoch') or 0)
local function kept()
  if redis.call('HEXISTS', key, 'record') == 0 then return {} end
  return {epoch, redis.call('HGET', key, 'record'), redis.call('HGET', key, 'position') or ''}
end
if operation == 'read' then return kept() end
if mine < epoch then return operation == 'write' and {0} or {} end
if operation == 'claim' then
  if mine ~= epoch or redis.call('HEXISTS', key, 'record') == 0 then return {} end
  epoch = epoch + 1
elseif operation == 'end' then -- who still has it is refused
  epoch = mine + 1
  redis.call('HDEL', key, 'record', 'position')
else -- two calls for what is run again and again
  redis.call('HSET', key, 'epoch', mine, unpack(ARGV, 4))
  redis.call('PEXPIRE', key, keep)
  return {(ARGV[4] == 'record' or redis.call('HEXISTS', key, 'record') == 1) and 1 or 2}
end
redis.call('HSET', key, 'epoch', epoch)
redis.call('PEXPIRE', key, keep)
return kept()
