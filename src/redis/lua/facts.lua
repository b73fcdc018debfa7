#!lua flags=no-writes,allow-oom
-- A room, and the roles of some in it.
-- KEYS: 1 root
-- ARGV: room, uids
-- REPLY: 1 if it exists, name, 1 if private, number of members; per uid its role and since, or nothing and 0, and in how
--        many rooms it is
local room = redis.call('HMGET', K_room(ARGV[1]), 'name', 'private', 'created')
local reply = { room[3] and 1 or 0, room[1] or '', room[2] == '1' and 1 or 0, redis.call('HLEN', K_members(ARGV[1])) }
for i = 2, #ARGV do
  local role, since = string.match(redis.call('HGET', K_members(ARGV[1]), ARGV[i]) or '', '^(%S+) (%d+)$')
  reply[#reply + 1] = role or ''
  reply[#reply + 1] = tonumber(since or 0)
  reply[#reply + 1] = redis.call('HLEN', K_rooms(ARGV[i]))
end
return reply
