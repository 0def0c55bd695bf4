-- Long lists of subjects, as hash tables in files of their own (written by enforcement/envoy/lists.py): read
-- once into one string, looked up in place. A list that is missing or damaged fails the whole script, and
-- Envoy keeps the last good one.

local bit = require("bit")
local band, bxor, rshift, tobit = bit.band, bit.bxor, bit.rshift, bit.tobit
local byte, find, sub = string.byte, string.find, string.sub
local MAGIC, HEADER = "irapp-list/1\n", 17

local CRC = {}
for i = 0, 255 do
  local value = i
  for _ = 1, 8 do
    value = band(value, 1) == 1 and bxor(0xEDB88320, rshift(value, 1)) or rshift(value, 1)
  end
  CRC[i] = tobit(value)
end

local function crc32(text)
  local value = -1
  for i = 1, #text do value = bxor(CRC[band(bxor(value, byte(text, i)), 255)], rshift(value, 8)) end
  return bxor(value, -1)
end

local function number_at(raw, at)
  local a, b, c, d = byte(raw, at, at + 3)
  return a + b * 256 + c * 65536 + d * 16777216
end

-- A bucket holds its names one after the other, each with a line feed at both ends.
local function contains(list, name)
  local raw, at = list.raw, HEADER + 1 + band(crc32(name), list.mask) * 4
  local from, to = number_at(raw, at), number_at(raw, at + 4)
  return from < to and find(sub(raw, from + 1, to), "\n" .. name .. "\n", 1, true) ~= nil
end

local function load_list(path, size)
  local file = assert(io.open(path, "rb"))
  local raw = file:read(size + 1) or "" -- at once: a buffer that grows would cost as much again
  file:close()
  local count = sub(raw, 1, #MAGIC) == MAGIC and #raw == size and number_at(raw, #MAGIC + 1)
  if not count or number_at(raw, HEADER + 1 + count * 4) ~= size then error("not a list of subjects: " .. path) end
  return { raw = raw, mask = count - 1 }
end

local LISTS = {}
for name, size in pairs(DATA.lists) do LISTS[name] = load_list(DATA.folder .. "/" .. name, size) end
