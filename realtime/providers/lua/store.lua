-- One conversation, with the epoch of its owner. KEYS: a hash of epoch, order (JSON), created, updated (ms),
-- i:ID = item, empty once it was deleted.
-- ARGV: operation, how long it is kept (ms), then
--   save EPOCH ORDER DELETED ID ITEM ... | late ORDER ID WAS BEFORE ITEM ... | take | load | forget | opening COUNT
-- ORDER and DELETED are JSON. What is in the order is there: of a save that lacks an item nothing is written.
-- `late` takes an item if WAS is 0 and there is none, or if it is still BEFORE.
-- Nobody ends a conversation sooner than who keeps it longest: servers with another store read it, too.
local key, operation, keep = KEYS[1], ARGV[1], ARGV[2]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local stored = redis.call('HGET', key, 'order')
local epoch = tonumber(redis.call('HGET', key, 'epoch') or 0)
local function keep_on()
  if redis.call('PTTL', key) < tonumber(keep) then redis.call('PEXPIRE', key, keep) end
end
local function merged(order, others, gone) -- as in stored_order.py
  local known, after, before, all = {}, {}, '', {}
  for _, id in ipairs(order) do known[id] = true end
  for _, id in ipairs(others) do
    if known[id] then before = 'i:' .. id
    elseif not gone[id] then after[before] = after[before] or {}; table.insert(after[before], id) end
  end
  for _, id in ipairs(after[''] or {}) do table.insert(all, id) end
  for _, id in ipairs(order) do
    table.insert(all, id)
    for _, other in ipairs(after['i:' .. id] or {}) do table.insert(all, other) end
  end
  return all
end
local function written(order)
  redis.call('HSETNX', key, 'created', now)
  redis.call('HSET', key, 'order', cjson.encode(order), 'updated', now, 'epoch', epoch)
  keep_on()
  return {'saved', redis.call('HGET', key, 'created'), now}
end
if operation == 'save' then
  if tonumber(ARGV[3]) < epoch then return {'taken'} end
  local order, deleted, gone = cjson.decode(ARGV[4]), cjson.decode(ARGV[5]), {}
  epoch = tonumber(ARGV[3])
  local before, there = cjson.decode(stored or '[]'), {}
  for _, id in ipairs(before) do there[id] = true end
  for i = 6, #ARGV, 2 do there[ARGV[i]] = true end
  for _, id in ipairs(order) do -- this Redis has forgotten some: the session gives all of them again
    if not there[id] and redis.call('HEXISTS', key, 'i:' .. id) == 0 then return {'forgotten'} end
  end
  for i = 6, #ARGV, 2 do redis.call('HSET', key, 'i:' .. ARGV[i], ARGV[i + 1]) end
  for _, id in ipairs(deleted) do gone[id] = true; redis.call('HSET', key, 'i:' .. id, '') end
  return written(merged(order, before, gone))
elseif operation == 'forget' then
  if not stored then return {} end
  redis.call('DEL', key)
  redis.call('HSET', key, 'epoch', time[1]) -- no session that still has it can bring it back
  keep_on()
  return {}
elseif not stored then
  return {}
elseif operation == 'late' then
  local said, new, gone = cjson.decode(ARGV[3]), {}, {}
  for i = 4, #ARGV, 4 do
    local field = 'i:' .. ARGV[i]
    local is = redis.call('HGET', key, field)
    if (ARGV[i + 1] == '0' and not is) or (ARGV[i + 1] == '1' and is == ARGV[i + 2]) then
      redis.call('HSET', key, field, ARGV[i + 3])
      new[ARGV[i]] = true
    end
  end
  for _, id in ipairs(said) do if not new[id] then gone[id] = true end end
  return written(merged(cjson.decode(stored), said, gone))
end
if operation == 'take' then
  epoch = epoch + 1
  redis.call('HSET', key, 'epoch', epoch)
end
local answer, order = {epoch, redis.call('HGET', key, 'created'), redis.call('HGET', key, 'updated')}, cjson.decode(stored)
if operation ~= 'opening' then keep_on() end
for i = 1, operation == 'opening' and math.min(#order, tonumber(ARGV[3])) or #order do
  local item = redis.call('HGET', key, 'i:' .. order[i])
  if item and item ~= '' then table.insert(answer, item) end
end
return answer
