"""One instance map from a map per class, a pixel at a time."""


def unite_channels(masks, names):
    """As the function of this name in the library: lists of lists, the last channel background."""
    height, width = len(masks), len(masks[0])
    objects = []  # (channel, id in the channel), in the order of the new ids 1, 2, ...
    for channel in range(len(names)):
        seen = {int(masks[y][x][channel]) for y in range(height) for x in range(width)}
        objects += [(channel, number) for number in sorted(seen) if number]
    instances = [[0] * width for _ in range(height)]
    contested = differing = 0
    for y in range(height):
        for x in range(width):
            claims = [(channel, int(masks[y][x][channel])) for channel in range(len(names)) if masks[y][x][channel]]
            if claims:
                instances[y][x] = objects.index(claims[-1]) + 1
            contested += len(claims) > 1
            differing += bool(claims) == bool(masks[y][x][len(names)])
    left = sorted({number for row in instances for number in row if number})
    classes = {number: names[objects[number - 1][0]] for number in left}
    noticed = {
        "regions": len(objects),
        "vanished": len(objects) - len(left),
        "contested_px": contested,
        "background_px_differing": differing,
    }
    return instances, classes, noticed
