/* SPDX-License-Identifier: Apache-2.0 */
/* pipeline DEVICE MODEL FRAMES: runs a model on made-up frames with two requests in flight: while the
 * device computes one frame, the next is being filled. Prints a sum of all outputs. */
#include <fcntl.h>
#include <larod.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SLOTS = 2 };

struct Slot {
    larodTensor** inputs;
    larodTensor** outputs;
    larodJobRequest* request;
    unsigned char *input, *output;
    bool busy, failed;
};

static struct Slot slots[SLOTS];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

static void Fail(const char* what, larodError* error) {
    fprintf(stderr, "%s: %s (%d)\n", what, error ? error->msg : "unknown",
            error ? (int)error->code : 0);
    exit(EXIT_FAILURE);
}

/* On a thread of larod: says that the slot is free and returns at once. */
static void OnDone(void* data, larodError* error) {
    struct Slot* slot = data;
    pthread_mutex_lock(&mutex);
    slot->busy = false;
    slot->failed = error != NULL;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&mutex);
}

static unsigned char* Map(larodTensor* tensor, size_t* size) {
    larodError* error = NULL;
    if (!larodGetTensorFdSize(tensor, size, &error)) Fail("Could not get size", error);
    void* memory = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_SHARED,
                        larodGetTensorFd(tensor, &error), 0);
    if (memory == MAP_FAILED) Fail("Could not map", error);
    return memory;
}

int main(int argc, char** argv) {
    if (argc != 4) {
        fprintf(stderr, "usage: pipeline DEVICE MODEL FRAMES\n");
        return 2;
    }
    const int frames = atoi(argv[3]);
    larodError* error = NULL;
    larodConnection* conn = NULL;
    if (!larodConnect(&conn, &error)) Fail("Could not connect", error);
    const larodDevice* device = larodGetDevice(conn, argv[1], 0, &error);
    if (!device) Fail("Could not get device", error);
    int file = open(argv[2], O_RDONLY);
    larodModel* model =
        larodLoadModel(conn, file, device, LAROD_ACCESS_PRIVATE, "pipeline", NULL, &error);
    if (!model) Fail("Could not load model", error);
    close(file);

    size_t numInputs = 0, numOutputs = 0, inputSize = 0, outputSize = 0;
    for (int i = 0; i < SLOTS; ++i) {
        struct Slot* slot = &slots[i];
        slot->inputs = larodAllocModelInputs(conn, model, 0, &numInputs, NULL, &error);
        if (!slot->inputs) Fail("Could not allocate inputs", error);
        slot->outputs = larodAllocModelOutputs(conn, model, 0, &numOutputs, NULL, &error);
        if (!slot->outputs) Fail("Could not allocate outputs", error);
        slot->input = Map(slot->inputs[0], &inputSize);
        slot->output = Map(slot->outputs[0], &outputSize);
        slot->request = larodCreateJobRequest(model, slot->inputs, numInputs, slot->outputs,
                                              numOutputs, NULL, &error);
        if (!slot->request) Fail("Could not create job request", error);
    }

    unsigned long sum = 0;
    for (int frame = 0; frame < frames + SLOTS; ++frame) {
        struct Slot* slot = &slots[frame % SLOTS];
        pthread_mutex_lock(&mutex);
        while (slot->busy) pthread_cond_wait(&changed, &mutex);
        pthread_mutex_unlock(&mutex);
        if (slot->failed) Fail("A job failed", NULL);
        if (frame >= SLOTS) {
            for (size_t i = 0; i < outputSize; ++i) sum += slot->output[i];
        }
        if (frame >= frames) continue;
        memset(slot->input, frame, inputSize);
        slot->busy = true;
        if (!larodRunJobAsync(conn, slot->request, OnDone, slot, &error)) {
            Fail("Could not queue", error);
        }
    }
    printf("%d frames, sum %lu\n", frames, sum);

    for (int i = 0; i < SLOTS; ++i) {
        munmap(slots[i].input, inputSize);
        munmap(slots[i].output, outputSize);
        larodDestroyJobRequest(&slots[i].request);
        larodDestroyTensors(conn, &slots[i].inputs, numInputs, NULL);
        larodDestroyTensors(conn, &slots[i].outputs, numOutputs, NULL);
    }
    larodDestroyModel(&model);
    larodDisconnect(&conn, NULL);
    return 0;
}
