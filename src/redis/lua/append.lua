#!lua
-- Stores a batch of letters, addresses and hints them. Refused as a whole when memory is full (no allow-oom).
-- INCLUDE: head, position, log, hint, now, store
-- KEYS: 1 root
-- ARGV: self, keep, slack, life, dedup life, pending messages, pending bytes, stranger messages, strangers,
--       number of conversations, of uids; the conversations; the uids (sides of the direct ones);
--       per conversation: kind (d, r, a), a, b (sides; of a room: its name and nothing), number of letters;
--       per letter: mark digit, sender, id or nothing, tail, ref.
-- REPLY: ts, payloads to other nodes, how many of those found nobody; per letter, in the order given: an error code, or
--        seq, flags (1 dup, 2 first, 4 the read position had lagged), and of a dup its ts; the entries that the dups
--        name, if there are any.
local p = 12 + convs + uids
for i = 1, convs do
  attempt(i, p)
  p = p + 4 + tonumber(ARGV[p + 3]) * 5
end
reply[2], reply[3] = forward(self)
if repeated[1] then reply[#reply + 1] = repeated end
return reply
