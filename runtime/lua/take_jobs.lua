-- Gives a ReID worker jobs of RQ's queues, and notes whose they are: they are left to it while its lease is held.
-- KEYS[1] reid_worker_lease of the caller, then for each queue, those served first before: its list, its set of started jobs
-- ARGV[1] token of the lease, [2] the caller's id, [3] what the key of a job begins with, [4] jobs at most,
--     [5] jobs of the last queue that are taken before all others, at most
-- Returns {0}: the lease is not the caller's; {1, ids of the first queue, ids of the second, ...}
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return {0}
end
local left = tonumber(ARGV[4])
local answer = {1}
for index = 2, #KEYS, 2 do
  answer[index / 2 + 1] = {}
end

local function take(index, most)
  local taken = answer[index / 2 + 1]
  most = math.min(most, left)
  if most <= 0 then
    return
  end
  for _, id in ipairs(redis.call('LPOP', KEYS[index], most) or {}) do
    if redis.call('EXISTS', ARGV[3] .. id) == 1 then -- it was not deleted meanwhile
      redis.call('ZADD', KEYS[index + 1], '+inf', id .. ':' .. ARGV[2])
      redis.call('HSET', ARGV[3] .. id, 'status', 'started', 'worker_name', ARGV[2])
      taken[#taken + 1] = id
      left = left - 1
    end
  end
end

take(#KEYS - 1, tonumber(ARGV[5]))
for index = 2, #KEYS, 2 do
  take(index, left)
end
return answer
