-- Publishes the analysis of one frame, unless a newer epoch has written for the camera.
-- The first result of a newer epoch raises the fence: from then on the former worker is refused.
-- KEYS[1] camera_epoch, [2] camera_result, [3] camera_preview, [4] camera_frames
-- ARGV[1] epoch, [2] result JSON, [3] result lifetime s, [4] preview JPEG or '', [5] preview lifetime s,
--     [6] saved path or '', [7] captured_at_ms, [8] frames kept in the index, [9] channel, [10] seq
-- Returns 1: written; 0: refused.
local current = tonumber(redis.call('GET', KEYS[1]) or '0')
local epoch = tonumber(ARGV[1])
if epoch < current then
  return 0
end
if epoch > current then
  redis.call('SET', KEYS[1], ARGV[1])
end
redis.call('SET', KEYS[2], ARGV[2], 'EX', ARGV[3])
if ARGV[4] ~= '' then
  redis.call('HSET', KEYS[3], 'jpeg', ARGV[4], 'result', ARGV[2])
  redis.call('EXPIRE', KEYS[3], ARGV[5])
end
if ARGV[6] ~= '' then
  redis.call('ZADD', KEYS[4], ARGV[7], ARGV[6])
  redis.call('ZREMRANGEBYRANK', KEYS[4], 0, -(tonumber(ARGV[8]) + 1))
end
redis.call('PUBLISH', ARGV[9], ARGV[10])
return 1
