/* libnvidia-ml.so.1 without a GPU: the C symbols that pynvml resolves for the agent, driven by a file of directives.
 *
 * The file named by FAKE_NVML is read anew at every call, so a test changes the machine under a running agent. Its
 * directives, one a line, "*" standing for any device or function:
 *
 *     devices COUNT                     boards that answer nvmlDeviceGetCount_v2
 *     fail DEVICE FUNCTION CODE         the function returns this nvmlReturn_t for this device
 *     delay FUNCTION MILLISECONDS       the function takes this long
 *     hang FUNCTION                     the function returns once the directive is gone
 *     value DEVICE NAME NUMBER          what the function that answers NAME gives
 *
 * Functions that concern no device count as device -1. Every call is noted as "DEVICE FUNCTION" in the file with
 * ".calls" appended. Devices are called "Fake GPU <index>" and have the UUID "GPU-fake-<index>".
 *
 * Signatures and constants are those of NVIDIA's public nvml.h; no line of it is copied.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SUCCESS = 0, UNINITIALIZED = 1, INVALID_ARGUMENT = 2 };
enum { HOST = -1, MOST_DEVICES = 16 };

struct device { int index; };
struct utilization { unsigned int gpu, memory; };
struct memory { unsigned long long total, free, used; };
struct memory_v2 { unsigned int version; unsigned long long total, reserved, free, used; };

static struct device devices[MOST_DEVICES];
static int users;

static int matches(const char *pattern, const char *text) {
    return strcmp(pattern, "*") == 0 || strcmp(pattern, text) == 0;
}

/* Calls `found` for each line's words; stops at the first that it takes. */
static int scan(int (*found)(char word[4][64], int words, void *with), void *with) {
    const char *path = getenv("FAKE_NVML");
    FILE *file = path ? fopen(path, "r") : NULL;
    char line[256], word[4][64];
    int taken = 0;
    while (file && !taken && fgets(line, sizeof line, file)) {
        int words = sscanf(line, "%63s %63s %63s %63s", word[0], word[1], word[2], word[3]);
        taken = words > 0 && found(word, words, with);
    }
    if (file) fclose(file);
    return taken;
}

struct call { const char *function, *device, *name; long long answer; };

static int is_hang(char word[4][64], int words, void *with) {
    struct call *call = with;
    return words == 2 && strcmp(word[0], "hang") == 0 && matches(word[1], call->function);
}

static int is_delay(char word[4][64], int words, void *with) {
    struct call *call = with;
    if (words != 3 || strcmp(word[0], "delay") || !matches(word[1], call->function)) return 0;
    call->answer = atoll(word[2]);
    return 1;
}

static int is_failure(char word[4][64], int words, void *with) {
    struct call *call = with;
    if (words != 4 || strcmp(word[0], "fail") || !matches(word[1], call->device)) return 0;
    if (!matches(word[2], call->function)) return 0;
    call->answer = atoll(word[3]);
    return 1;
}

static int is_value(char word[4][64], int words, void *with) {
    struct call *call = with;
    if (words != 4 || strcmp(word[0], "value") || !matches(word[1], call->device)) return 0;
    if (strcmp(word[2], call->name)) return 0;
    call->answer = atoll(word[3]);
    return 1;
}

static int is_count(char word[4][64], int words, void *with) {
    struct call *call = with;
    if (words != 2 || strcmp(word[0], "devices")) return 0;
    call->answer = atoll(word[1]);
    return 1;
}

static void note(const char *device, const char *function) {
    const char *path = getenv("FAKE_NVML");
    char name[4096];
    if (!path) return;
    snprintf(name, sizeof name, "%s.calls", path);
    FILE *file = fopen(name, "a");
    if (!file) return;
    fprintf(file, "%s %s\n", device, function);
    fclose(file);
}

/* What every call does first: it is noted, takes its time, and fails where it is told to. */
static int begin(int index, const char *function) {
    char device[16];
    struct call call = {function, device, NULL, 0};
    snprintf(device, sizeof device, "%d", index);
    note(device, function);
    if (scan(is_delay, &call)) usleep((useconds_t)call.answer * 1000);
    while (scan(is_hang, &call)) usleep(5000);
    if (scan(is_failure, &call)) return (int)call.answer;
    return users || strcmp(function, "nvmlInitWithFlags") == 0 ? SUCCESS : UNINITIALIZED;
}

static long long value(int index, const char *name, long long otherwise) {
    char device[16];
    struct call call = {"", device, name, otherwise};
    snprintf(device, sizeof device, "%d", index);
    scan(is_value, &call);
    return call.answer;
}

int nvmlInitWithFlags(unsigned int flags) {
    int code = begin(HOST, "nvmlInitWithFlags");
    (void)flags;
    if (code == SUCCESS) users++;
    return code;
}

int nvmlShutdown(void) {
    int code = begin(HOST, "nvmlShutdown");
    if (code == SUCCESS) users--;
    return code;
}

const char *nvmlErrorString(int code) {
    return code == SUCCESS ? "Success" : "an error of the stand-in";
}

int nvmlDeviceGetCount_v2(unsigned int *count) {
    struct call call = {"", "", NULL, 1};
    int code = begin(HOST, "nvmlDeviceGetCount_v2");
    if (code != SUCCESS) return code;
    scan(is_count, &call);
    *count = (unsigned int)call.answer;
    return SUCCESS;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned int index, struct device **device) {
    int code = begin((int)index, "nvmlDeviceGetHandleByIndex_v2");
    if (code != SUCCESS) return code;
    if (index >= MOST_DEVICES) return INVALID_ARGUMENT;
    devices[index].index = (int)index;
    *device = &devices[index];
    return SUCCESS;
}

int nvmlDeviceGetName(struct device *device, char *name, unsigned int length) {
    int code = begin(device->index, "nvmlDeviceGetName");
    if (code == SUCCESS) snprintf(name, length, "Fake GPU %d", device->index);
    return code;
}

int nvmlDeviceGetUUID(struct device *device, char *uuid, unsigned int length) {
    int code = begin(device->index, "nvmlDeviceGetUUID");
    if (code == SUCCESS) snprintf(uuid, length, "GPU-fake-%d", device->index);
    return code;
}

int nvmlDeviceGetUtilizationRates(struct device *device, struct utilization *answer) {
    int code = begin(device->index, "nvmlDeviceGetUtilizationRates");
    if (code != SUCCESS) return code;
    answer->gpu = (unsigned int)value(device->index, "utilisation", 37);
    answer->memory = (unsigned int)value(device->index, "memory_utilisation", 12);
    return SUCCESS;
}

int nvmlDeviceGetMemoryInfo(struct device *device, struct memory *answer) {
    int code = begin(device->index, "nvmlDeviceGetMemoryInfo");
    if (code != SUCCESS) return code;
    answer->total = (unsigned long long)value(device->index, "memory_total", 1LL << 36);
    answer->used = (unsigned long long)value(device->index, "memory_used", 1LL << 33);
    answer->used += (unsigned long long)value(device->index, "memory_reserved", 1LL << 20);
    answer->free = answer->total - answer->used;
    return SUCCESS;
}

int nvmlDeviceGetMemoryInfo_v2(struct device *device, struct memory_v2 *answer) {
    int code = begin(device->index, "nvmlDeviceGetMemoryInfo_v2");
    if (code != SUCCESS) return code;
    if (answer->version != (sizeof *answer | 2u << 24)) return INVALID_ARGUMENT;
    answer->total = (unsigned long long)value(device->index, "memory_total", 1LL << 36);
    answer->used = (unsigned long long)value(device->index, "memory_used", 1LL << 33);
    answer->reserved = (unsigned long long)value(device->index, "memory_reserved", 1LL << 20);
    answer->free = answer->total - answer->used - answer->reserved;
    return SUCCESS;
}

int nvmlDeviceGetTemperature(struct device *device, int sensor, unsigned int *celsius) {
    int code = begin(device->index, "nvmlDeviceGetTemperature");
    if (code != SUCCESS) return code;
    if (sensor != 0) return INVALID_ARGUMENT;
    *celsius = (unsigned int)value(device->index, "temperature", 54);
    return SUCCESS;
}

int nvmlDeviceGetClockInfo(struct device *device, int kind, unsigned int *mhz) {
    int code = begin(device->index, kind == 2 ? "nvmlDeviceGetClockInfo:memory" : "nvmlDeviceGetClockInfo");
    if (code != SUCCESS) return code;
    if (kind != 0 && kind != 2) return INVALID_ARGUMENT;
    *mhz = (unsigned int)(kind == 2 ? value(device->index, "memory_clock", 2619) : value(device->index, "clock", 1980));
    return SUCCESS;
}

int nvmlDeviceGetTotalEccErrors(struct device *device, int error, int counter, unsigned long long *count) {
    int code = begin(device->index, error ? "nvmlDeviceGetTotalEccErrors:uncorrected" : "nvmlDeviceGetTotalEccErrors");
    if (code != SUCCESS) return code;
    if (counter != 0) return INVALID_ARGUMENT;
    *count = (unsigned long long)value(device->index, error ? "ecc_uncorrected" : "ecc_corrected", error ? 1 : 5);
    return SUCCESS;
}

#define NUMBER(function, type, name, otherwise)                                                                        \
    int function(struct device *device, type *answer) {                                                                \
        int code = begin(device->index, #function);                                                                    \
        if (code == SUCCESS) *answer = (type)value(device->index, name, otherwise);                                     \
        return code;                                                                                                   \
    }

NUMBER(nvmlDeviceGetPowerUsage, unsigned int, "power", 123456)
NUMBER(nvmlDeviceGetEnforcedPowerLimit, unsigned int, "power_limit", 700000)
NUMBER(nvmlDeviceGetFanSpeed, unsigned int, "fan", 30)
#ifndef OLD_DRIVER
NUMBER(nvmlDeviceGetCurrentClocksEventReasons, unsigned long long, "throttle_reasons", 0)
#endif
NUMBER(nvmlDeviceGetCurrentClocksThrottleReasons, unsigned long long, "throttle_reasons", 0)

#define SAMPLED(function, name, otherwise)                                                                             \
    int function(struct device *device, unsigned int *answer, unsigned int *microseconds) {                            \
        int code = begin(device->index, #function);                                                                    \
        if (code != SUCCESS) return code;                                                                              \
        *answer = (unsigned int)value(device->index, name, otherwise);                                                 \
        *microseconds = 167000;                                                                                        \
        return SUCCESS;                                                                                                \
    }

SAMPLED(nvmlDeviceGetEncoderUtilization, "encoder", 7)
SAMPLED(nvmlDeviceGetDecoderUtilization, "decoder", 8)
