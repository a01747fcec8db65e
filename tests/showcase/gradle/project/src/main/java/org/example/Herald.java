package org.example;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.apache.commons.io.FileUtils;
import org.apache.commons.lang3.StringUtils;

/** Cries out what stands in a file. */
public final class Herald {
    public static void main(String[] arguments) throws IOException {
        for (String line : FileUtils.readLines(new File(arguments[0]), StandardCharsets.UTF_8)) {
            System.out.println(StringUtils.center(StringUtils.upperCase(line), 20, '*'));
        }
    }
}
