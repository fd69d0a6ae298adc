-- Gives an event writer entries of the stream of events, and counts those that the stream has lost before anybody had them.
-- KEYS[1] events, [2] event_writer_lease of the caller, [3] event_losses
-- ARGV[1] group, [2] the caller's id, [3] its lease's token, [4] entries at most, [5] '>': such that no writer has;
--     '0': those that the caller has been given and has not acknowledged
-- Returns {2}: the lease is not the caller's, and it gets nothing; {0}: there is no such group; {1, entries, lost}.
local function field(flat, name)
  for index = 1, #flat, 2 do
    if flat[index] == name then
      return flat[index + 1]
    end
  end
end

local function is_after(one, other)
  local ms, seq = string.match(one, '^(%d+)-(%d+)$')
  local other_ms, other_seq = string.match(other, '^(%d+)-(%d+)$')
  if ms ~= other_ms then
    return tonumber(ms) > tonumber(other_ms)
  end
  return tonumber(seq) > tonumber(other_seq)
end

if redis.call('GET', KEYS[2]) ~= ARGV[3] then
  return {2}
end
local group
if redis.call('EXISTS', KEYS[1]) == 1 then
  for _, each in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
    if field(each, 'name') == ARGV[1] then
      group = each
    end
  end
end
if not group then
  return {0}
end
local stream = redis.call('XINFO', 'STREAM', KEYS[1])
local answer = redis.call('XREADGROUP', 'GROUP', ARGV[1], ARGV[2], 'COUNT', ARGV[4], 'STREAMS', KEYS[1], ARGV[5])
local entries = answer and answer[1][2] or {}
local lost = 0
if ARGV[5] == '>' then
  local first = field(stream, 'first-entry')
  if #entries > 0 and first and is_after(first[1], field(group, 'last-delivered-id')) then
    -- Nothing of what the stream holds was read before, so all that it ever removed has either been read or is lost.
    local removed = field(stream, 'entries-added') - field(stream, 'length')
    lost = math.max(0, removed - (field(group, 'entries-read') or removed))
    -- Redis 7.0 goes on counting from where it was, and the next loss would count this one again.
    redis.call('XGROUP', 'SETID', KEYS[1], ARGV[1], entries[#entries][1], 'ENTRIESREAD', removed + #entries)
  end
else
  local held = {}
  for _, entry in ipairs(entries) do
    if entry[2] then
      held[#held + 1] = entry
    else -- it made room after the caller was given it, and nobody has its text any more
      redis.call('XACK', KEYS[1], ARGV[1], entry[1])
      lost = lost + 1
    end
  end
  entries = held
end
if lost > 0 then
  redis.call('INCRBY', KEYS[3], lost)
end
return {1, entries, lost}
