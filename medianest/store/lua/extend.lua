-- Keep a lease, if it is still this holder's.
-- KEYS[1]  the lease; ARGV  1 the holder's token, 2 milliseconds
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
