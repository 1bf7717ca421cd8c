//! Draws how long an update takes against the number of profiles: `plot results.json plot.svg`.

use std::error::Error;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use plotters::coord::combinators::IntoLogRange;
use plotters::prelude::*;
use plotters::style::FontTransform;
use serde::Deserialize;

/// Readable by the colour-blind, and on white.
const COLORS: [RGBColor; 4] = [RGBColor(0, 114, 178), RGBColor(0, 158, 115), RGBColor(86, 80, 160), RGBColor(120, 120, 120)];
const OTHER_ENGINE: RGBColor = RGBColor(200, 70, 0);
const GRID: RGBColor = RGBColor(222, 222, 222);
const TEXT: RGBColor = RGBColor(51, 51, 51);
const SIZE: (u32, u32) = (860, 470);

const PROFILES: [f64; 6] = [20.0, 50.0, 100.0, 200.0, 500.0, 1000.0];
const SECONDS: [f64; 10] = [0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0];

/// The part of the benchmark's figures that is drawn.
#[derive(Debug, Deserialize)]
struct Results {
    update: Vec<Run>,
}

#[derive(Debug, Clone, Deserialize)]
struct Run {
    engine: String,
    profiles: u32,
    delay_ms: u32,
    seconds: Figure,
}

#[derive(Debug, Clone, Deserialize)]
struct Figure {
    median: f64,
    min: f64,
    max: f64,
}

/// The runs that become one line.
#[derive(Debug)]
struct Series {
    label: String,
    is_module: bool,
    runs: Vec<Run>,
}

impl Series {
    /// Those with two points or more, the highest line first.
    fn all(results: &Results) -> Vec<Self> {
        let mut series: Vec<Self> = Vec::new();
        for run in &results.update {
            let label = format!("{}, answers after {} ms", subject(&run.engine), run.delay_ms);
            match series.iter_mut().find(|one| one.label == label) {
                Some(one) => one.runs.push(run.clone()),
                None => series.push(Self { label, is_module: run.engine == "module", runs: vec![run.clone()] }),
            }
        }
        series.retain(|one| one.runs.len() > 1);
        for one in &mut series {
            one.runs.sort_by_key(|run| run.profiles);
        }
        series.sort_by(|one, other| other.last().2.total_cmp(&one.last().2).then(one.label.cmp(&other.label)));
        series
    }

    /// The point at the right end, for the order of the labels: the time that 100 profiles would take there.
    fn last(&self) -> (f64, f64, f64) {
        let (profiles, seconds) = self.runs.last().map_or((1.0, 1.0), |run| (f64::from(run.profiles), run.seconds.median));
        (profiles, seconds, seconds / profiles)
    }
}

fn subject(engine: &str) -> &str {
    match engine {
        "module" => "this module",
        "one by one" => "one by one",
        _ => "the script",
    }
}

fn draw(results: &Results) -> Result<String, Box<dyn Error>> {
    let series = Series::all(results);
    let figures = || series.iter().flat_map(|one| &one.runs);
    let least = figures().map(|run| run.seconds.min).fold(f64::INFINITY, f64::min);
    let most = figures().map(|run| run.seconds.max).fold(0.0, f64::max);
    if series.is_empty() || least <= 0.0 {
        return Err("it has no two runs of one kind that took any time".into());
    }
    let (lowest, highest) = (least * 0.8, most * 1.25);
    let steps: Vec<f64> = SECONDS.into_iter().filter(|seconds| (lowest..highest).contains(seconds)).collect();
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        root.fill(&WHITE)?;
        let text = |size: i32| ("sans-serif", size).into_font().color(&TEXT);
        let (plot, legend) = root.split_horizontally(600);
        let mut chart = ChartBuilder::on(&plot)
            .caption("Time of an update", text(19))
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
        let mut colors = COLORS.iter().cycle();
        for (place, one) in (0..).zip(&series) {
            let color = if one.is_module { colors.next().copied().unwrap_or(COLORS[0]) } else { OTHER_ENGINE };
            let line = color.stroke_width(if one.is_module { 2 } else { 3 });
            chart.draw_series(LineSeries::new(one.runs.iter().map(|run| (f64::from(run.profiles), run.seconds.median)), line))?;
            for run in &one.runs {
                let (x, seconds) = (f64::from(run.profiles), &run.seconds);
                chart.draw_series([PathElement::new([(x, seconds.min), (x, seconds.max)], color.stroke_width(1))])?;
                chart.draw_series([Circle::new((x, seconds.median), 4, color.filled())])?;
            }
            // Beside the lines, where they cannot cross it.
            let y = 78 + place * 30;
            legend.draw(&PathElement::new([(0, y), (26, y)], line))?;
            legend.draw(&Circle::new((13, y), 4, color.filled()))?;
            legend.draw(&Text::new(one.label.clone(), (34, y - 8), text(14).transform(FontTransform::None)))?;
        }
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

    const FIGURES: &str = r#"{"date": "2026-01-01", "update": [
        {"engine": "module", "profiles": 100, "delay_ms": 50, "seconds": {"median": 0.38, "min": 0.37, "max": 0.4}},
        {"engine": "module", "profiles": 20, "delay_ms": 50, "seconds": {"median": 0.11, "min": 0.11, "max": 0.12}},
        {"engine": "module", "profiles": 200, "delay_ms": 100, "seconds": {"median": 1.3, "min": 1.3, "max": 1.3}},
        {"engine": "script", "profiles": 20, "delay_ms": 50, "seconds": {"median": 1.2, "min": 1.2, "max": 1.3}},
        {"engine": "script", "profiles": 100, "delay_ms": 50, "seconds": {"median": 6.2, "min": 6.1, "max": 6.3}}]}"#;

    #[test]
    fn each_kind_of_run_with_two_points_is_a_line_with_its_name() {
        let svg = draw(&serde_json::from_str(FIGURES).unwrap()).unwrap();
        assert!(svg.contains("the script, answers after 50 ms") && svg.contains("this module, answers after 50 ms"), "{svg}");
        assert!(!svg.contains("answers after 100 ms"), "one point is no line");
        assert_eq!(svg.matches("<circle").count(), 4 + 2, "a circle for each point, and one for each name");
    }

    #[test]
    fn the_slower_one_is_named_first() {
        let labels: Vec<String> = Series::all(&serde_json::from_str(FIGURES).unwrap()).into_iter().map(|one| one.label).collect();
        assert_eq!(labels, ["the script, answers after 50 ms", "this module, answers after 50 ms"]);
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
            [("{", "has not the benchmark's figures"), ("{}", "missing field `update`"), (r#"{"update": []}"#, "cannot be drawn: it has no two runs")]
        {
            let sentence = said(text);
            assert!(sentence.contains(expected) && sentence.ends_with('.') && !sentence.contains('\n'), "{sentence}");
        }
        std::fs::remove_file(&from).unwrap();
        assert!(run(&from, &to).unwrap_err().to_string().contains("could not be read"));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
