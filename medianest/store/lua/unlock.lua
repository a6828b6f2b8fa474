-- Release a lock, if this holder still has it, and leave the reason of a failure in it.
-- KEYS[1]  the lock
-- ARGV     1 the holder's token, 2 the failure ('' for none), 3 ms for which it stays readable
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == '' then return redis.call('DEL', KEYS[1]) end
redis.call('SET', KEYS[1], 'failed:' .. ARGV[2], 'PX', ARGV[3])
return 1
