#!lua
-- Stores a batch of letters, addresses and hints them. Refused as a whole when memory is full (no allow-oom).
-- INCLUDE: head, position, log, hint, now, ids, store
-- KEYS: 1 root
-- ARGV: self, number of conversations; per conversation: its name, number of letters; per letter two: its mark digit
--       (8 more: its sender need be no member), of a room or all the sender, a space, the ref and a space, and in any case the id or nothing; the tail.
--       Capitals that nothing here defines are limits: see scripts.ts.
-- REPLY: ts, payloads to other nodes, how many of those found nobody; per letter, in the order given: an error code, or
--        seq, flags (1 dup, 2 first, 4 the read position had lagged), and of a dup its ts; the entries that the dups
--        name, if there are any.
p = 3
for _ = 1, convs do
  attempt(p)
  p = p + 2 + 2 * ARGV[p + 1]
end
remember()
reply[2], reply[3] = forward(self)
if repeated[1] then reply[#reply + 1] = repeated end
return reply
