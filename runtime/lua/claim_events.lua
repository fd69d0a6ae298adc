-- Gives an event writer what another one was given whose lease is gone; forgets that one when it has nothing any more.
-- KEYS[1] events, [2] event_writer_lease of the other, [3] event_losses
-- ARGV[1] group, [2] the other's id, [3] the caller's id, [4] entries at most
-- Returns how many entries the caller has been given: 0 while the other's lease is held.
if redis.call('EXISTS', KEYS[2]) == 1 then
  return 0
end
local pending = redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', ARGV[4], ARGV[2])
if #pending == 0 then
  redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], ARGV[2])
  return 0
end
local ids = {}
for index, each in ipairs(pending) do
  ids[index] = each[1]
end
-- The server forgets those of them that the stream does not hold any more.
local claimed = #redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[3], 0, unpack(ids))
if claimed < #pending then
  redis.call('INCRBY', KEYS[3], #pending - claimed)
end
return claimed
