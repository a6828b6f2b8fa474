-- Give a lease back, if it is still this holder's.
-- KEYS[1]  the lease; ARGV  1 the holder's token, 2 why it failed ('' if it did not), 3 ms to tell it
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == '' then return redis.call('DEL', KEYS[1]) end
redis.call('SET', KEYS[1], 'failed:' .. ARGV[2], 'PX', ARGV[3])
return 1
