# Run as cmake -DIN=file -DOUT=x.cc -DNAME=Function -DHEADER=dir/x.h -P embed.cmake: writes a .cc
# that defines std::span<const uint8_t> dlpu::Function() over the bytes of the file.
file(READ ${IN} hex HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
string(REGEX REPLACE "(0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,)"
       "\\1\n" bytes "${bytes}")
file(WRITE ${OUT} "#include \"${HEADER}\"
namespace dlpu {
namespace {
alignas(16) constexpr uint8_t kBytes[] = {
${bytes}};
}  // namespace
std::span<const uint8_t> ${NAME}() { return kBytes; }
}  // namespace dlpu
")
