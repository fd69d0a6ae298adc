-- Ends jobs that a ReID worker has in its hands: forgets them, or puts them back at the front of their queue.
-- KEYS[1] the queue's list, [2] its set of started jobs
-- ARGV[1] the worker's id, [2] what the key of a job begins with, [3] 'forget' or 'return', [4]... ids of jobs
-- Returns how many were the worker's; others are left alone: somebody has taken them back, and may have made them anew.
local ended = 0
for index = #ARGV, 4, -1 do
  local id = ARGV[index]
  if redis.call('ZREM', KEYS[2], id .. ':' .. ARGV[1]) == 1 then
    ended = ended + 1
    if ARGV[3] == 'forget' then
      redis.call('DEL', ARGV[2] .. id)
    elseif redis.call('EXISTS', ARGV[2] .. id) == 1 then
      redis.call('HSET', ARGV[2] .. id, 'status', 'queued')
      redis.call('LPUSH', KEYS[1], id)
    end
  end
end
return ended
