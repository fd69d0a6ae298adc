-- Publishes the analysis of one frame, unless a newer epoch has written for the camera, and only once.
-- The first result of a newer epoch raises the fence: from then on the former worker is refused.
-- KEYS[1] camera_epoch, [2] camera_result, [3] camera_preview, [4] camera_frames, [5] camera_results,
--     [6] plan_mark
-- ARGV[1] epoch, [2] result JSON, [3] result lifetime s, [4] preview JPEG or '', [5] preview lifetime s,
--     [6] saved path or '', [7] captured_at_ms, [8] frames kept in the index, [9] channel, [10] seq,
--     [11] results kept in the stream, [12] 1 where a manager is known to keep a plan here, else 0
-- Returns 1: written; 0: refused; 3: it was written before; 5: this server has lost its data, fences too, and the manager
--     has not put them back yet. Only with 1 anything was changed.
if ARGV[12] == '1' and redis.call('EXISTS', KEYS[6]) == 0 then
  return 5
end
local current = tonumber(redis.call('GET', KEYS[1]) or '0')
local epoch = tonumber(ARGV[1])
if epoch < current then
  return 0
end
-- First, for it is the one command that says whether this result is new: until it has, nothing is changed.
local added = redis.pcall('XADD', KEYS[5], 'MAXLEN', '~', ARGV[11], ARGV[1] .. '-' .. ARGV[10], 'result', ARGV[2])
if type(added) == 'table' and added.err then
  if not string.find(added.err, 'equal or smaller', 1, true) then
    return added
  end
  -- Where the fence was lost and the stream was not, the stream still knows of the newer epoch.
  local newest = redis.call('XREVRANGE', KEYS[5], '+', '-', 'COUNT', 1)[1]
  local stands = newest and string.match(newest[1], '^%d+') or '0'
  if tonumber(stands) > epoch then
    redis.call('SET', KEYS[1], stands)
    return 0
  end
  return 3
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
