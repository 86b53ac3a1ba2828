# Functions that turn a folder below src/ into a library, its tests and its benchmarks.

# The one table of kernel files with flags of their own: file name, processor, flags.
# A file avx2.cc in any kernel family is compiled with the flags of its row.
set(DLPU_ISA_FILES
    "avx2|x86_64|-mavx2 -mfma -mf16c"
    "avxvnni|x86_64|-mavx2 -mfma -mf16c -mavxvnni"
    "avx512|x86_64|-mavx512f -mavx512bw -mavx512dq -mavx512vl -mfma -mf16c"
    "avx512vnni|x86_64|-mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512vnni -mavx512vbmi -mfma -mf16c"
    "neon|aarch64|-march=armv8-a"
    "neondot|aarch64|-march=armv8.2-a+dotprod"
    "neoni8mm|aarch64|-march=armv8.2-a+dotprod+i8mm")

# Gives every kernel file its flags; other processors see the file without them, and the file's
# own #if on the compiler's macro then leaves an empty list of rows.
function(dlpu_isa_flags)
  foreach(source ${ARGN})
    get_filename_component(stem ${source} NAME_WE)
    foreach(row ${DLPU_ISA_FILES})
      string(REPLACE "|" ";" row "${row}")
      list(GET row 0 name)
      list(GET row 1 processor)
      list(GET row 2 flags)
      if(stem STREQUAL name AND CMAKE_SYSTEM_PROCESSOR STREQUAL processor AND flags)
        separate_arguments(flags)
        if(name MATCHES "^avx512" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU"
           AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
          # False alarms in the intrinsics headers, GCC bug 105593.
          list(APPEND flags -Wno-uninitialized -Wno-maybe-uninitialized)
        endif()
        if(name MATCHES "^neon" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
          # Scheduling before registers are given out makes GCC 12 spill accumulators.
          list(APPEND flags -fno-schedule-insns)
        endif()
        set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS "${flags}")
      endif()
    endforeach()
  endforeach()
endfunction()

# Code whose own speed does not matter (tests, the command line) is optimized less in a release
# build: it compiles in two thirds of the time.
function(dlpu_quick_to_build target)
  target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-O1>)
endfunction()

# dlpu_layer(NAME USES layer... [LIBS library...]): library dlpu_NAME from src/NAME/**.cc, test
# program NAME_test from *_test.cc, benchmark NAME_bench from *_bench.cc. An empty folder is
# skipped.
function(dlpu_layer name)
  cmake_parse_arguments(ARG "" "" "USES;LIBS" ${ARGN})
  file(GLOB_RECURSE all CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.cc)
  set(sources)
  set(tests)
  set(benches)
  foreach(file ${all})
    if(file MATCHES "_test\\.cc$")
      list(APPEND tests ${file})
    elseif(file MATCHES "_bench\\.cc$")
      list(APPEND benches ${file})
    elseif(NOT file MATCHES "/cli/main\\.cc$|/larod/(api|client|parhand)/")
      list(APPEND sources ${file})
    endif()
  endforeach()
  set(uses ${ARG_LIBS})
  foreach(layer ${ARG_USES})
    if(TARGET dlpu_${layer})
      list(APPEND uses dlpu_${layer})
    endif()
  endforeach()
  if(NOT sources)
    if(all)
      message(FATAL_ERROR "src/${name} has tests but no library file")
    endif()
    return()
  endif()
  dlpu_isa_flags(${sources})
  add_library(dlpu_${name} STATIC ${sources})
  target_include_directories(dlpu_${name} PUBLIC ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/include
                                                 ${CMAKE_BINARY_DIR}/generated)
  target_link_libraries(dlpu_${name} PUBLIC ${uses})
  if(DLPU_TESTS AND tests)
    find_package(GTest REQUIRED)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE dlpu_${name} GTest::gtest_main GTest::gmock)
    dlpu_quick_to_build(${name}_test)
    if(TARGET dlpu_testing)
      target_link_libraries(${name}_test PRIVATE dlpu_testing)
    endif()
    add_test(NAME ${name} COMMAND ${name}_test WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    enable_testing()
  endif()
  if(DLPU_BENCH AND benches)
    find_package(benchmark REQUIRED)
    add_executable(${name}_bench ${benches})
    target_link_libraries(${name}_bench PRIVATE dlpu_${name} benchmark::benchmark_main)
  endif()
endfunction()

# dlpu_flatbuffer(LAYER SCHEMA): src/LAYER/SCHEMA.fbs -> generated/SCHEMA_generated.h, made at
# build time so that header and library versions always match.
function(dlpu_flatbuffer layer schema)
  if(NOT TARGET dlpu_${layer})
    return()
  endif()
  set(out ${CMAKE_BINARY_DIR}/generated/${schema}_generated.h)
  set(in ${CMAKE_SOURCE_DIR}/src/${layer}/${schema}.fbs)
  add_custom_command(OUTPUT ${out} DEPENDS ${in}
                     COMMAND ${FLATC} --cpp --scoped-enums --gen-mutable
                             -o ${CMAKE_BINARY_DIR}/generated ${in})
  add_custom_target(${schema}_schema DEPENDS ${out})
  add_dependencies(dlpu_${layer} ${schema}_schema)
endfunction()

# dlpu_protobuf(LAYER FILE.proto): compiles the messages of FILE.proto into the layer, for protobuf's
# lite runtime; the layer includes FILE.pb.h.
function(dlpu_protobuf layer file)
  if(NOT TARGET dlpu_${layer})
    return()
  endif()
  get_filename_component(folder ${file} DIRECTORY)
  get_filename_component(stem ${file} NAME_WE)
  set(generated ${CMAKE_BINARY_DIR}/generated)
  set(out ${generated}/${stem}.pb.cc ${generated}/${stem}.pb.h)
  add_custom_command(OUTPUT ${out} DEPENDS ${file}
                     COMMAND ${PROTOC} -I ${folder} --cpp_out=lite:${generated} ${file})
  set_source_files_properties(${generated}/${stem}.pb.cc PROPERTIES COMPILE_OPTIONS -w)
  target_sources(dlpu_${layer} PRIVATE ${out})
endfunction()

# dlpu_embed(LAYER FILE FUNCTION HEADER): compiles the bytes of FILE into the layer as the function
# that HEADER declares.
function(dlpu_embed layer file name header)
  if(NOT TARGET dlpu_${layer})
    return()
  endif()
  set(out ${CMAKE_BINARY_DIR}/generated/embed_${name}.cc)
  set(in ${CMAKE_SOURCE_DIR}/${file})
  set(script ${CMAKE_SOURCE_DIR}/cmake/embed.cmake)
  add_custom_command(OUTPUT ${out} DEPENDS ${in} ${script}
                     COMMAND ${CMAKE_COMMAND} -DIN=${in} -DOUT=${out} -DNAME=${name}
                             -DHEADER=${header} -P ${script})
  target_sources(dlpu_${layer} PRIVATE ${out})
endfunction()
