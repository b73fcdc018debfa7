#!lua flags=allow-oom
-- Hints a frame to the nodes that hold users. Not counted: it may be lost.
-- KEYS: 1 root
-- ARGV: the node that asks, the frame, uids, at least one
-- REPLY: payloads, how many of them found nobody
local at = {}
for i = 3, #ARGV do at[i - 2] = K_at(ARGV[i]) end
local lines = {}
for i, nodes in ipairs(redis.call('MGET', unpack(at))) do
  for node in string.gmatch(nodes or '', '%S+') do
    if node ~= ARGV[1] then
      lines[node] = lines[node] or {}
      table.insert(lines[node], '>' .. ARGV[i + 2] .. '\t' .. ARGV[2])
    end
  end
end
local sent, unheard = 0, 0
for node, of in pairs(lines) do
  sent = sent + 1
  if redis.call('PUBLISH', K_to(node), '1 0\n' .. table.concat(of, '\n')) == 0 then unheard = unheard + 1 end
end
return { sent, unheard }
