#include "app/allocator.h"

#include <cstdlib>

namespace hangar {

// What a read decodes is allocated by the threads that decode and freed by those that send. With
// mimalloc 3.6, Arrow's first choice, pages go over to the thread that frees into them, which
// seldom allocates, and stay there: eight readers of a dataset that is not cached then hold 1.5
// GiB, with glibc's allocator 0.27 GiB, at 1.2 times the rate; 64 of them 2.2 and 0.32 GiB (two
// processors).
void ChooseAllocator() { ::setenv("ARROW_DEFAULT_MEMORY_POOL", "system", /*overwrite=*/0); }

}  // namespace hangar
