-- Publishes one event, unless a newer epoch has written results for the camera, and only once.
-- Does not raise the fence: while a camera is handed over, the new worker may have an event (the camera does not
-- answer, for example) before its first result, and until then the results of the former one are wanted.
-- KEYS[1] camera_epoch, [2] camera_event_cursor, [3] events, [4] plan_mark
-- ARGV[1] epoch, [2] number, [3] event JSON, [4] events kept in the stream, [5] number of an older event of this
--     camera and epoch of which the caller knows that it was accepted, or 0, [6] 1 where a manager is known to keep a
--     plan here, else 0
-- Returns 1: written; 0: refused; 3: it was written before; 4: this server does not know of [5], for it has lost
--     data since; 5: it has lost all of it, and the manager has not put the fences back yet. Only with 1 anything was
--     changed.
if ARGV[6] == '1' and redis.call('EXISTS', KEYS[4]) == 0 then
  return 5
end
local current = tonumber(redis.call('GET', KEYS[1]) or '0')
if tonumber(ARGV[1]) < current then
  return 0
end
-- A number for each epoch that may still write: during a handover these are two.
local known = redis.call('HGET', KEYS[2], ARGV[1])
if tonumber(known or '0') >= tonumber(ARGV[2]) then
  return 3
end
if tonumber(known or '0') < tonumber(ARGV[5]) then
  return 4
end
redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[4], '*', 'event', ARGV[3])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
if not known then
  for _, epoch in ipairs(redis.call('HKEYS', KEYS[2])) do
    if tonumber(epoch) < current then
      redis.call('HDEL', KEYS[2], epoch)
    end
  end
end
return 1
