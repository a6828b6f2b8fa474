-- Give tags a new version, so that every value stored under their old versions is a miss.
-- KEYS[1]  a JSON object: "base" and each tag's version. A new version of "base" makes every value
--          a miss.
-- ARGV     1 a unique text for "base" where there is none, 2 seconds after which a version is
--          removed (no value lives longer), 3 the maximum number of tags, 4 seconds until the
--          object expires (0: never), 5... tags. Beyond the maximum, all versions are replaced by a
--          new base.
-- returns  the new object
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local stored = redis.call('GET', KEYS[1])
local is_json, versions = pcall(cjson.decode, stored or '')
if not is_json or type(versions) ~= 'table' or type(versions.base) ~= 'string' then
  versions = { base = ARGV[1] } -- none yet, or something that this script did not write
end
local count = #ARGV - 4
for tag, version in pairs(versions) do
  count = count + 1
  local changed = type(version) == 'string' and tonumber(version) or 0
  if tag ~= 'base' and changed < now - tonumber(ARGV[2]) * 1000000 then
    versions[tag] = nil
    count = count - 1
  end
end
if count > tonumber(ARGV[3]) then versions = { base = ARGV[1] } end
for index = 5, #ARGV do versions[ARGV[index]] = string.format('%.0f', now) end
local written = cjson.encode(versions)
redis.call('SET', KEYS[1], written)
if tonumber(ARGV[4]) > 0 then redis.call('EXPIRE', KEYS[1], ARGV[4]) end
return written
