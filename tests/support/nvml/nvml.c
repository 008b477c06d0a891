/* A stand-in for libnvidia-ml.so.1: the symbols that pynvml calls, over devices that a text
 * file describes. The file is read anew by every call, so that a test can take a GPU away.
 *
 * A line is a GPU, or an instance of MIG where it begins with "mig" (of the GPU above it):
 *   gpu UUID memory_mib used_mib busy_percent ok|lost|mig NAME
 *   mig UUID memory_mib used_mib busy_percent ok NAME
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SUCCESS = 0, NOT_SUPPORTED = 3, NOT_FOUND = 6, NOT_LOADED = 9, LOST = 15, MOST = 64 };

typedef struct {
    int is_mig, parent, place;
    char uuid[96], state[8], name[96];
    unsigned long long total, used;
    unsigned busy;
} Device;

static Device devices[MOST];
static int count;

static int read_devices(void) {
    const char *path = getenv("STAND_IN_GPUS");
    FILE *file = path ? fopen(path, "r") : NULL;
    char line[512], kind[8];
    int parent = -1, place = 0;
    count = 0;
    if (!file) return NOT_LOADED;
    while (count < MOST && fgets(line, sizeof line, file)) {
        Device *one = &devices[count];
        unsigned long long total, used;
        memset(one, 0, sizeof *one);
        if (sscanf(line, "%7s %95s %llu %llu %u %7s %95[^\n]", kind, one->uuid, &total, &used,
                   &one->busy, one->state, one->name) != 7)
            continue;
        one->total = total << 20;
        one->used = used << 20;
        one->is_mig = strcmp(kind, "mig") == 0;
        if (!one->is_mig) { parent = count; place = 0; }
        one->parent = parent;
        one->place = one->is_mig ? place++ : 0;
        count++;
    }
    fclose(file);
    return SUCCESS;
}

/* a handle is the UUID's text, kept for ever: it outlives changes of the file */
static void *handle_of(const char *uuid) {
    static char known[4 * MOST][96];
    for (int i = 0; i < 4 * MOST; i++) {
        if (!known[i][0]) strcpy(known[i], uuid);
        if (strcmp(known[i], uuid) == 0) return known[i];
    }
    return NULL;
}

static int find(const void *handle, Device **found) {
    int failed = read_devices();
    if (failed) return failed;
    for (int i = 0; i < count; i++)
        if (strcmp(devices[i].uuid, handle) == 0) {
            *found = &devices[i];
            return strcmp(devices[i].state, "lost") == 0 ? LOST : SUCCESS;
        }
    return LOST;
}

int nvmlInitWithFlags(unsigned flags) { (void)flags; return read_devices(); }
int nvmlShutdown(void) { return SUCCESS; }

const char *nvmlErrorString(int code) {
    switch (code) {
    case NOT_SUPPORTED: return "Not Supported";
    case NOT_FOUND: return "Not Found";
    case NOT_LOADED: return "Driver Not Loaded";
    case LOST: return "GPU is lost";
    default: return "Unknown Error";
    }
}

int nvmlSystemGetDriverVersion(char *text, unsigned length) {
    snprintf(text, length, "570.1");
    return SUCCESS;
}

int nvmlDeviceGetCount_v2(unsigned *number) {
    int failed = read_devices();
    *number = 0;
    for (int i = 0; i < count; i++) *number += !devices[i].is_mig;
    return failed;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **handle) {
    int failed = read_devices();
    if (failed) return failed;
    for (int i = 0; i < count; i++)
        if (!devices[i].is_mig && index-- == 0) {
            *handle = handle_of(devices[i].uuid);
            return strcmp(devices[i].state, "lost") == 0 ? LOST : SUCCESS;
        }
    return NOT_FOUND;
}

int nvmlDeviceGetHandleByUUID(const char *uuid, void **handle) {
    Device *one;
    int failed = find(uuid, &one);
    if (failed) return NOT_FOUND;
    *handle = handle_of(uuid);
    return SUCCESS;
}

int nvmlDeviceGetUUID(void *handle, char *text, unsigned length) {
    Device *one;
    int failed = find(handle, &one);
    if (!failed) snprintf(text, length, "%s", one->uuid);
    return failed;
}

int nvmlDeviceGetName(void *handle, char *text, unsigned length) {
    Device *one;
    int failed = find(handle, &one);
    if (!failed) snprintf(text, length, "%s", one->name);
    return failed;
}

typedef struct { unsigned long long total, free, used; } Memory;

int nvmlDeviceGetMemoryInfo(void *handle, Memory *memory) {
    Device *one;
    int failed = find(handle, &one);
    if (failed) return failed;
    memory->total = one->total;
    memory->used = one->used;
    memory->free = one->total - one->used;
    return SUCCESS;
}

typedef struct { unsigned gpu, memory; } Rates;

int nvmlDeviceGetUtilizationRates(void *handle, Rates *rates) {
    Device *one;
    int failed = find(handle, &one);
    if (failed) return failed;
    if (one->is_mig) return NOT_SUPPORTED;
    rates->gpu = one->busy;
    rates->memory = one->busy;
    return SUCCESS;
}

int nvmlDeviceGetMigMode(void *handle, unsigned *current, unsigned *pending) {
    Device *one;
    int failed = find(handle, &one);
    if (failed) return failed;
    *current = *pending = strcmp(one->state, "mig") == 0;
    return SUCCESS;
}

int nvmlDeviceGetMaxMigDeviceCount(void *handle, unsigned *number) {
    Device *one;
    int failed = find(handle, &one);
    *number = 7;
    return failed;
}

int nvmlDeviceGetMigDeviceHandleByIndex(void *handle, unsigned index, void **instance) {
    Device *parent;
    int failed = find(handle, &parent);
    if (failed) return failed;
    for (int i = 0; i < count; i++)
        if (devices[i].is_mig && &devices[devices[i].parent] == parent
            && (unsigned)devices[i].place == index) {
            *instance = handle_of(devices[i].uuid);
            return SUCCESS;
        }
    return NOT_FOUND;
}
