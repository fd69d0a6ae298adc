-- Renews a lease while the token is still the caller's.
-- KEYS[1] lease    ARGV[1] token, ARGV[2] lifetime in ms
-- Returns 1: renewed; 0: the lease is gone or another's.
if redis.call('GET', KEYS[1]) == ARGV[1] then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return 1
end
return 0
