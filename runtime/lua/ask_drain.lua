-- Asks a live worker to hand its cameras over and leave, and wakes it.
-- KEYS[1] worker_lease, KEYS[2] worker_drain, KEYS[3] wakeups    ARGV[1] who asks, ARGV[2] lifetime in seconds
-- Returns 2: asked; 1: it had been asked already; 0: no such worker lives.
if redis.call('EXISTS', KEYS[1]) == 0 then
  return 0
end
local known = redis.call('EXISTS', KEYS[2])
redis.call('SET', KEYS[2], ARGV[1], 'EX', ARGV[2])
redis.call('XADD', KEYS[3], 'MAXLEN', '~', 16, '*', 'why', 'drain')
return 2 - known
