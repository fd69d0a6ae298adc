-- Puts a search where ReID processes look for them, with the picture that it is for, if any of them runs.
-- KEYS[1] gallery_answering, [2] gallery_requests, [3] gallery_picture of the request
-- ARGV[1] request JSON, [2] most requests that may wait, [3] picture or '', [4] lifetime of the picture in s
-- Returns 1: asked; 0: no ReID process answers; -1: too many wait already.
if redis.call('EXISTS', KEYS[1]) == 0 then
  return 0
end
if redis.call('LLEN', KEYS[2]) >= tonumber(ARGV[2]) then
  return -1
end
if ARGV[3] ~= '' then
  redis.call('SET', KEYS[3], ARGV[3], 'EX', ARGV[4])
end
redis.call('RPUSH', KEYS[2], ARGV[1])
return 1
