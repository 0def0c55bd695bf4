-- Long lists of subjects, as hash tables in files of their own (written by enforcement/envoy/lists.py): names are
-- looked up in the file, once for each identity (index.lua keeps what it found), so that a list costs neither time
-- when a script is taken up nor memory. One that is missing or damaged fails the whole script, and Envoy keeps the
-- last good one; one that is lost later refuses whoever has to be looked up in it.

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

local function read_at(file, at, size)
  file:seek("set", at)
  local raw = file:read(size) or ""
  if #raw ~= size then error("a list of subjects ends early") end
  return raw
end

local function open(path)
  local file = assert(io.open(path, "rb"))
  file:setvbuf("no") -- what is asked for is less than a buffer
  return file
end

-- A bucket holds its names one after the other, each with a line feed at both ends.
local function contains(list, name)
  local file = open(list.path)
  local ends = read_at(file, HEADER + band(crc32(name), list.mask) * 4, 8)
  local from, to = number_at(ends, 1), number_at(ends, 5)
  local bucket = from < to and read_at(file, from, to - from) or ""
  file:close()
  return find(bucket, "\n" .. name .. "\n", 1, true) ~= nil
end

local function known_list(path, size)
  local file = open(path)
  local head = read_at(file, 0, HEADER)
  local count = sub(head, 1, #MAGIC) == MAGIC and file:seek("end") == size and number_at(head, #MAGIC + 1)
  if not count or number_at(read_at(file, HEADER + count * 4, 4), 1) ~= size then
    error("not a list of subjects: " .. path)
  end
  file:close()
  return { path = path, mask = count - 1 }
end

local LISTS = {}
for name, size in pairs(DATA.lists) do LISTS[name] = known_list(DATA.folder .. "/" .. name, size) end
