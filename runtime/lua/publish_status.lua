-- Publishes the status of one camera. Does not raise the fence: while a camera is handed over, the former
-- worker's status stands until the new one has its first result.
-- KEYS[1] camera_epoch, [2] camera_status
-- ARGV[1] epoch, [2] status JSON, [3] lifetime s
-- Returns 1: written; 0: refused, a newer epoch has written; 2: too early, the former epoch still stands.
local current = tonumber(redis.call('GET', KEYS[1]) or '0')
local epoch = tonumber(ARGV[1])
if epoch < current then
  return 0
end
if epoch > current then
  return 2
end
redis.call('SET', KEYS[2], ARGV[2], 'EX', ARGV[3])
return 1
