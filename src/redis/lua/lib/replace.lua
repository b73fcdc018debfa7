-- Replaces items of a log, each only if it is still as it was read. From ARGV[first] on, an item's seq, what it was and
-- what it becomes.

-- Where the items stand; nil if one of them is another now.
local function places_of(log, h, first)
  local len, places = redis.call('LLEN', log), {}
  for i = first, #ARGV, 3 do
    local index = upto(log, h, len, tonumber(ARGV[i])) - 1
    if index < 0 or redis.call('LINDEX', log, index) ~= ARGV[i + 1] then return nil end
    places[#places + 1] = index
  end
  return places
end

-- Puts there what the items become (2), or what they were (1).
local function put(log, places, first, which)
  for i, index in ipairs(places) do redis.call('LSET', log, index, ARGV[first + 3 * i - 3 + which]) end
end
