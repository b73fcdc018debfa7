#!lua flags=no-writes,allow-oom
-- Who succeeds an owner: the longest-serving admin, else member.
-- KEYS: 1 root
-- ARGV: room, the owner who leaves
-- REPLY: a uid, or nothing
for _, role in ipairs({ 'admin', 'member' }) do
  for _, uid in ipairs(redis.call('ZRANGE', K_serving(ARGV[1], role), 0, 1)) do
    if uid ~= ARGV[2] then return uid end
  end
end
return false
