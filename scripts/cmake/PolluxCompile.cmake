# Compiler settings that hold for every target. Results must be equal on every machine: no
# contraction of floating-point operations, no instructions beyond the baseline.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1")
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g1 -fno-omit-frame-pointer")

if(NOT CMAKE_BUILD_TYPE AND PROJECT_IS_TOP_LEVEL)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

find_program(POLLUX_CCACHE ccache)
if(POLLUX_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${POLLUX_CCACHE}")
endif()
find_program(POLLUX_LLD ld.lld)
if(POLLUX_LLD)
  add_link_options(-fuse-ld=lld)
endif()

add_compile_options(-Wall -Wextra -Wpedantic -Werror=return-type -Wnon-virtual-dtor
                    -Woverloaded-virtual -ffp-contract=off)
# GoogleTest's and abseil's headers warn under -Wpedantic in places that are not ours to mend.

set(POLLUX_SANITIZE "" CACHE STRING "Sanitizers, comma separated")
if(POLLUX_SANITIZE)
  add_compile_options(-fsanitize=${POLLUX_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${POLLUX_SANITIZE})
endif()
