-- Asks a worker to try a camera, if it does so.
-- KEYS[1] camera_trials_answered of the worker, [2] camera_trials of the worker
-- ARGV[1] request JSON, [2] most requests that may wait, [3] lifetime of what waits in s
-- Returns 1: asked; 0: the worker tries none; -1: too many wait already.
if redis.call('EXISTS', KEYS[1]) == 0 then
  return 0
end
if redis.call('LLEN', KEYS[2]) >= tonumber(ARGV[2]) then
  return -1
end
redis.call('RPUSH', KEYS[2], ARGV[1])
redis.call('EXPIRE', KEYS[2], ARGV[3])
return 1
