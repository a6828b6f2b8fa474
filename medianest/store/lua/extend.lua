-- Extend a lock, if this holder still has it.
-- KEYS[1]  the lock; ARGV  1 the holder's token, 2 milliseconds until it expires
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
