//! Draws how long getting the keys of all profiles takes against their number, for each program that was compared: `plot results.json plot.svg`.

use std::error::Error;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use plotters::coord::combinators::IntoLogRange;
use plotters::prelude::*;
use plotters::style::FontTransform;
use serde::Deserialize;

/// The programs that are drawn, in the order of the legend: their names in the figures and in the plot, and colors that the colour-blind can tell apart.
const WAYS: [(&str, &str, RGBColor); 4] = [
    ("script", "the script", RGBColor(200, 70, 0)),
    ("boto3", "boto3, 16 threads", RGBColor(0, 158, 115)),
    ("javascript", "JavaScript SDK, batches of 16", RGBColor(120, 120, 120)),
    ("module", "this module", RGBColor(0, 114, 178)),
];
const GRID: RGBColor = RGBColor(222, 222, 222);
const TEXT: RGBColor = RGBColor(51, 51, 51);
const SIZE: (u32, u32) = (860, 470);

const PROFILES: [f64; 6] = [20.0, 50.0, 100.0, 200.0, 500.0, 1000.0];
const SECONDS: [f64; 10] = [0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0];

/// The part of the benchmark's figures that is drawn.
#[derive(Debug, Deserialize)]
struct Results {
    compared: Vec<Run>,
}

#[derive(Debug, Clone, Deserialize)]
struct Run {
    way: String,
    profiles: u32,
    delay_ms: u32,
    cold_seconds: Figure,
    warm_seconds: Option<Figure>,
}

#[derive(Debug, Clone, Deserialize)]
struct Figure {
    median: f64,
    min: f64,
    max: f64,
}

/// What a time includes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The whole program, from its start to its end.
    Cold,
    /// A second update in the same program.
    Warm,
}

/// The runs that become one line, by the number of profiles.
#[derive(Debug)]
struct Series {
    label: &'static str,
    color: RGBColor,
    kind: Kind,
    runs: Vec<(u32, Figure)>,
}

impl Series {
    /// Those with two points or more.
    fn all(results: &Results) -> Vec<Self> {
        let mut series = Vec::new();
        for (way, label, color) in WAYS {
            for kind in [Kind::Cold, Kind::Warm] {
                let mut runs: Vec<(u32, Figure)> = results.compared.iter().filter(|run| run.way == way).filter_map(|run| run.point(kind)).collect();
                runs.sort_by_key(|(profiles, _)| *profiles);
                if runs.len() > 1 {
                    series.push(Self { label, color, kind, runs });
                }
            }
        }
        series
    }

    /// The line's medians, as points of the chart.
    fn points(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        self.runs.iter().map(|(profiles, seconds)| (f64::from(*profiles), seconds.median))
    }
}

impl Run {
    fn point(&self, kind: Kind) -> Option<(u32, Figure)> {
        let seconds = match kind {
            Kind::Cold => Some(&self.cold_seconds),
            Kind::Warm => self.warm_seconds.as_ref(),
        };
        seconds.map(|seconds| (self.profiles, seconds.clone()))
    }
}

impl Kind {
    const fn width(self) -> u32 {
        match self {
            Self::Cold => 3,
            Self::Warm => 1,
        }
    }

    fn style(self, color: RGBColor) -> ShapeStyle {
        match self {
            Self::Cold => color.filled(),
            Self::Warm => WHITE.filled(),
        }
    }
}

fn draw(results: &Results) -> Result<String, Box<dyn Error>> {
    let series = Series::all(results);
    let figures = || series.iter().flat_map(|one| &one.runs).map(|(_, seconds)| seconds);
    let least = figures().map(|seconds| seconds.min).fold(f64::INFINITY, f64::min);
    let most = figures().map(|seconds| seconds.max).fold(0.0, f64::max);
    if series.is_empty() || least <= 0.0 {
        return Err("it has no two runs of one program that took any time".into());
    }
    let (lowest, highest) = (least * 0.8, most * 1.25);
    let steps: Vec<f64> = SECONDS.into_iter().filter(|seconds| (lowest..highest).contains(seconds)).collect();
    let delay = results.compared.first().map_or(0, |run| run.delay_ms);
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        root.fill(&WHITE)?;
        let text = |size: i32| ("sans-serif", size).into_font().color(&TEXT);
        let (plot, legend) = root.split_horizontally(600);
        let mut chart = ChartBuilder::on(&plot)
            .caption(format!("Keys for all profiles, answers after {delay} ms"), text(19))
            .margin(14)
            .set_label_area_size(LabelAreaPosition::Left, 62)
            .set_label_area_size(LabelAreaPosition::Bottom, 46)
            .build_cartesian_2d((17.0..1180.0).log_scale().with_key_points(PROFILES.to_vec()), (lowest..highest).log_scale().with_key_points(steps))?;
        chart
            .configure_mesh()
            .x_desc("profiles (both scales are logarithmic)")
            .y_desc("seconds")
            .light_line_style(TRANSPARENT)
            .bold_line_style(GRID)
            .axis_style(TEXT)
            .label_style(text(14))
            .axis_desc_style(text(14))
            .x_label_formatter(&|profiles| profiles.to_string())
            .y_label_formatter(&|seconds| seconds.to_string())
            .draw()?;
        for one in &series {
            chart.draw_series(LineSeries::new(one.points(), one.color.stroke_width(one.kind.width())))?;
            for (profiles, seconds) in &one.runs {
                let x = f64::from(*profiles);
                chart.draw_series([PathElement::new([(x, seconds.min), (x, seconds.max)], one.color.stroke_width(1))])?;
                chart.draw_series([Circle::new((x, seconds.median), 4, one.kind.style(one.color))])?;
                chart.draw_series([Circle::new((x, seconds.median), 4, one.color.stroke_width(1))])?;
            }
        }
        // Beside the lines, where they cannot cross it.
        let mut y = 78;
        let mut entry = |label: &str, color: RGBColor, kind: Kind| -> Result<(), Box<dyn Error>> {
            legend.draw(&PathElement::new([(0, y), (26, y)], color.stroke_width(kind.width())))?;
            legend.draw(&Circle::new((13, y), 4, kind.style(color)))?;
            legend.draw(&Circle::new((13, y), 4, color.stroke_width(1)))?;
            legend.draw(&Text::new(label.to_owned(), (34, y - 8), text(14).transform(FontTransform::None)))?;
            y += 30;
            Ok(())
        };
        for one in series.iter().filter(|one| one.kind == Kind::Cold) {
            entry(one.label, one.color, Kind::Cold)?;
        }
        entry("whole program, with its start", TEXT, Kind::Cold)?;
        entry("again in the same program", TEXT, Kind::Warm)?;
        root.present()?;
    }
    Ok(svg)
}

fn run(from: &Path, to: &Path) -> Result<(), Box<dyn Error>> {
    let text = std::fs::read(from).map_err(|fault| format!("{} could not be read: {fault}.", from.display()))?;
    let results = serde_json::from_slice(&text).map_err(|fault| format!("{} has not the benchmark's figures: {fault}.", from.display()))?;
    let svg = draw(&results).map_err(|fault| format!("{} cannot be drawn: {fault}.", from.display()))?;
    std::fs::write(to, svg).map_err(|fault| format!("{} could not be written: {fault}.", to.display()).into())
}

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let outcome = match &arguments[..] {
        [from, to] => run(Path::new(from), Path::new(to)),
        _ => Err("Say which figures to draw, and into which file: plot results.json plot.svg".into()),
    };
    let Err(fault) = outcome else { return ExitCode::SUCCESS };
    // Where even this cannot be written, the exit code says it.
    let _ = writeln!(std::io::stderr(), "plot: {fault}");
    ExitCode::FAILURE
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const FIGURES: &str = r#"{"date": "2026-01-01", "compared": [
        {"way": "module", "profiles": 100, "delay_ms": 50, "cold_seconds": {"median": 1.1, "min": 1.0, "max": 1.2}, "warm_seconds": {"median": 0.3, "min": 0.2, "max": 0.4}},
        {"way": "module", "profiles": 20, "delay_ms": 50, "cold_seconds": {"median": 0.9, "min": 0.9, "max": 1.0}, "warm_seconds": {"median": 0.1, "min": 0.1, "max": 0.1}},
        {"way": "boto3", "profiles": 20, "delay_ms": 50, "cold_seconds": {"median": 0.4, "min": 0.4, "max": 0.5}},
        {"way": "boto3", "profiles": 100, "delay_ms": 50, "cold_seconds": {"median": 0.6, "min": 0.6, "max": 0.7}},
        {"way": "script", "profiles": 20, "delay_ms": 50, "cold_seconds": {"median": 3.2, "min": 3.1, "max": 3.3}},
        {"way": "yawsso", "profiles": 10, "delay_ms": 50, "cold_seconds": {"median": 8.0, "min": 8.0, "max": 8.0}}]}"#;

    #[test]
    fn each_program_with_two_points_is_a_line_with_its_name() {
        let svg = draw(&serde_json::from_str(FIGURES).unwrap()).unwrap();
        assert!(svg.contains("this module") && svg.contains("boto3, 16 threads") && svg.contains("answers after 50 ms"), "{svg}");
        assert!(!svg.contains("the script") && !svg.contains("yawsso"), "one point is no line");
        // Two for each point and for each of the four names: one that fills it, and its border.
        assert_eq!(svg.matches("<circle").count(), 2 * (6 + 4));
    }

    #[test]
    fn a_second_update_in_the_same_program_is_a_line_of_its_own() {
        let lines: Vec<_> = Series::all(&serde_json::from_str(FIGURES).unwrap()).into_iter().map(|one| (one.label, one.kind, one.runs.len())).collect();
        assert_eq!(lines, [("boto3, 16 threads", Kind::Cold, 2), ("this module", Kind::Cold, 2), ("this module", Kind::Warm, 2)]);
    }

    #[test]
    fn figures_that_cannot_be_drawn_are_one_sentence() {
        let folder = std::env::temp_dir().join(format!("sso-bench-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let (from, to) = (folder.join("results.json"), folder.join("plot.svg"));
        let said = |text: &str| {
            std::fs::write(&from, text).unwrap();
            run(&from, &to).unwrap_err().to_string()
        };
        for (text, expected) in
            [("{", "has not the benchmark's figures"), ("{}", "missing field `compared`"), (r#"{"compared": []}"#, "cannot be drawn: it has no two runs")]
        {
            let sentence = said(text);
            assert!(sentence.contains(expected) && sentence.ends_with('.') && !sentence.contains('\n'), "{sentence}");
        }
        std::fs::remove_file(&from).unwrap();
        assert!(run(&from, &to).unwrap_err().to_string().contains("could not be read"));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
