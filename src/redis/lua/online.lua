#!lua flags=no-writes,allow-oom
-- Who is online: who has a connection to a node whose lease lives.
-- INCLUDE: now
-- KEYS: 1 root
-- ARGV: 1 where nodes may not have renewed their lease yet, for Redis itself was away; uids, at least one
-- REPLY: per uid 1 or 0, and when last seen (0: never)
local at, seen, lives = {}, {}, {}
for i = 2, #ARGV do at[i - 1], seen[i - 1] = K_at(ARGV[i]), K_seen(ARGV[i]) end
at, seen = redis.call('MGET', unpack(at)), redis.call('MGET', unpack(seen))
local reply = {}
for i = 1, #ARGV - 1 do
  local online = false
  for node in string.gmatch(at[i] or '', '%S+') do
    if lives[node] == nil then lives[node] = ARGV[1] == '1' or redis.call('EXISTS', K_lease(node)) == 1 end
    online = online or lives[node]
  end
  reply[#reply + 1] = online and 1 or 0
  reply[#reply + 1] = online and now or tonumber(seen[i] or 0)
end
return reply
