-- The head of a conversation: doubles, packed. Later versions may append fields, never change these.
--   S last seq            B first seq of the current run   O first seq ever
--   TR last seq that is gone, and TW why: 0 retention, 1 expired
--   FA FB what the sides of a dm acknowledged (the highest of any device), RA RB what they read
--   PA YA PB YB pending for side a and b: messages without op, and their bytes
--   Z ts of the last box write   E epoch of the run   X when the log's expiry was last set   T ts of the last entry
--   L last seq without op (0: none yet), and M its ts
local S, B, O, TR, TW, FA, FB, RA, RB, PA, YA, PB, YB, Z, E, X, T = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17
local L, M = 18, 19
local FIELDS = 19
local SHAPE = '<ddddddddddddddddddd'

local function head_of(packed)
  if not packed then return { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 } end
  if #packed >= 8 * FIELDS then return { struct.unpack(SHAPE, packed) } end
  -- Written before there were L and M.
  local h = { struct.unpack(string.sub(SHAPE, 1, 18), packed) }
  h[L], h[M] = h[S], h[T]
  return h
end

local function packed(h)
  return struct.pack(SHAPE, unpack(h, 1, FIELDS))
end

-- O, TR, L and M, without the rest.
local function times_of(packed)
  if not packed then return 0, 0, 0, 0 end
  if #packed < 8 * FIELDS then
    local h = head_of(packed)
    return h[O], h[TR], h[L], h[M]
  end
  local origin, gone = struct.unpack('<dd', packed, 17)
  local last, at = struct.unpack('<dd', packed, 137)
  return origin, gone, last, at
end

local function sides(conv)
  return string.match(conv, '^dm:([^:]+):(.+)$')
end
