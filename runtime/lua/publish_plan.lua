-- Carries out a part of a plan, if the caller still leads; all of it or nothing.
-- KEYS[1] controller_lease; then, for each operation in order, the keys it touches.
-- ARGV[1] the caller's token; then one JSON array for each operation:
--   ["assign", camera, assignment, epoch, fence]  keys: assignments, camera_epoch
--       fence 1: refuse the former epoch from now on; 0: from the new worker's first result on
--   ["withdraw", camera]                          keys: assignments
--   ["fence", epoch]                              keys: camera_epoch
--   ["wake", why]                                 keys: wakeups
--   ["forget"]                                    keys: one key that is deleted
--   ["dismiss", worker]                           keys: workers
--   ["note", move, kept]                          keys: moves
--   ["mark"]                                      keys: plan_mark
-- Returns the count of operations, or -1: the caller does not lead any more.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return -1
end

local function raise_fence(key, epoch)
  if tonumber(redis.call('GET', key) or '0') < tonumber(epoch) then
    redis.call('SET', key, epoch)
  end
end

local k = 2
for a = 2, #ARGV do
  local operation = cjson.decode(ARGV[a])
  local what = operation[1]
  if what == 'assign' then
    redis.call('HSET', KEYS[k], operation[2], operation[3])
    if operation[5] == 1 then
      raise_fence(KEYS[k + 1], operation[4])
    end
    k = k + 2
  else
    if what == 'withdraw' then
      redis.call('HDEL', KEYS[k], operation[2])
    elseif what == 'fence' then
      raise_fence(KEYS[k], operation[2])
    elseif what == 'wake' then
      redis.call('XADD', KEYS[k], 'MAXLEN', '~', 16, '*', 'why', operation[2])
    elseif what == 'forget' then
      redis.call('DEL', KEYS[k])
    elseif what == 'dismiss' then
      redis.call('SREM', KEYS[k], operation[2])
    elseif what == 'mark' then
      redis.call('SET', KEYS[k], '1')
    elseif what == 'note' then
      redis.call('XADD', KEYS[k], 'MAXLEN', '~', operation[3], '*', 'move', operation[2])
    end
    k = k + 1
  end
end
return #ARGV - 1
